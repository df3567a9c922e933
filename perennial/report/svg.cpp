#include "perennial/report/svg.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "perennial/report/html.h"

namespace perennial::report {
namespace {

constexpr size_t kFewPoints = 12;  // above it, markers would hide the line
constexpr double kLetter = 6.4;    // mean width of a letter at 12 px

size_t letters(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

double text_width(const std::string& text) { return kLetter * static_cast<double>(letters(text)); }

template <class Names>
double widest(const Names& names, size_t most) {
  double width = 0;
  for (const auto& name : names) width = std::max(width, text_width(shorten(name, most)));
  return width;
}

std::string open_svg(double width, double height, const std::string& label) {
  return fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\"{}>\n", width, height,
                     escape_html(label),
                     width < 700 ? fmt::format(" style=\"max-width:{:.0f}px\"", width) : "");
}

std::string text_at(double x, double y, const std::string& text, const std::string& anchor = "start",
                    const std::string& css = "", const std::string& more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}{}>{}</text>\n", x, y, anchor,
                     css.empty() ? "" : " class=\"" + css + "\"", more.empty() ? "" : " " + more,
                     escape_html(text));
}

std::string line(double x1, double y1, double x2, double y2, const std::string& css) {
  return fmt::format("<path class=\"{}\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", css, x1, y1, x2, y2);
}

std::string titled(const std::string& shape, const std::string& title) {
  return shape + "><title>" + escape_html(title) + "</title></rect>\n";
}

std::string short_count(double value) {
  if (value >= 1e6) return fmt::format("{:.3g}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.3g}k", value / 1e3);
  return grouped(value);
}

/// The plotting area of a line chart.
struct Frame {
  double left, top, right, bottom, low, high;
  double x(double value) const {
    return high > low ? left + (right - left) * (value - low) / (high - low) : (left + right) / 2;
  }
  double y(double fraction) const { return bottom - (bottom - top) * fraction; }
};

Frame frame_of(const LineChart& chart) {
  double low = 0, high = 0, labels = 12;
  bool any = false;
  for (const Series& s : chart.series)
    for (const auto& point : s.points) {
      low = any ? std::min(low, point.first) : point.first;
      high = any ? std::max(high, point.first) : point.first;
      any = true;
    }
  for (const double bound : chart.bounds) high = std::max(high, bound);
  if (!chart.bounds.empty() || low == high) low = 0;
  if (chart.end_labels)
    for (const Series& s : chart.series) labels = std::max(labels, 10 + text_width(shorten(s.name, 32)));
  const double top = chart.y_title.empty() && chart.bound_names.empty() ? 10 : 30;
  const double below = chart.x_title.empty() ? 24 : 38;
  return {34, top, chart.width - labels, chart.height - below, low, high};
}

std::string draw_axes(const LineChart& chart, const Frame& f) {
  std::string out;
  const int y_steps = f.bottom - f.top < 130 ? 2 : 5;
  for (int i = 0; i <= y_steps; ++i) {
    const double fraction = static_cast<double>(i) / y_steps;
    out += line(f.left, f.y(fraction), f.right, f.y(fraction), i == 0 ? "axis" : "grid");
    out += text_at(f.left - 7, f.y(fraction) + 4, fmt::format("{:.0f}", 100 * fraction), "end");
  }
  for (const double tick : nice_ticks(f.low, f.high, static_cast<int>((f.right - f.left) / 90)))
    out += text_at(f.x(tick), f.bottom + 17, short_count(tick), "middle");
  if (!chart.y_title.empty()) out += text_at(0, 12, chart.y_title);
  if (!chart.x_title.empty()) out += text_at(f.right, f.bottom + 34, chart.x_title, "end");
  return out;
}

std::string draw_bounds(const LineChart& chart, const Frame& f) {
  std::string out;
  double from = f.low;
  for (size_t i = 0; i < chart.bounds.size(); ++i) {
    const double to = chart.bounds[i];
    if (i + 1 < chart.bounds.size()) out += line(f.x(to), f.top, f.x(to), f.bottom, "bound");
    std::string name = i < chart.bound_names.size() ? chart.bound_names[i] : "";
    const double room = f.x(to) - f.x(from);
    if (text_width(name) + 4 > room) name = std::to_string(i + 1);
    if (text_width(name) + 4 <= room) out += text_at((f.x(from) + f.x(to)) / 2, f.top - 6, name, "middle");
    from = to;
  }
  return out;
}

std::string draw_band(const Series& s, const Frame& f) {
  std::string upper, lower;
  for (size_t i = 0; i < s.points.size() && i < s.spread.size(); ++i) {
    const auto [x, y] = s.points[i];
    const double spread = std::isfinite(s.spread[i]) ? s.spread[i] : 0;
    if (!std::isfinite(y)) continue;
    const double up = std::min(1.0, y + spread), down = std::max(0.0, y - spread);
    upper += fmt::format("{}{:.1f} {:.1f}", upper.empty() ? "M" : "L", f.x(x), f.y(up));
    lower = fmt::format("L{:.1f} {:.1f}", f.x(x), f.y(down)) + lower;
  }
  if (upper.empty()) return "";
  return fmt::format("<path d=\"{}{}Z\" style=\"fill:{};fill-opacity:.16\"/>\n", upper, lower, s.colour);
}

/// A point that can be hovered over; visible where points are few.
std::string draw_point(const Series& s, double x, double y, const Frame& f, bool visible) {
  return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" {}><title>{}</title></circle>\n", f.x(x),
                     f.y(y), visible ? s.width + 1 : 5.0,
                     visible ? "style=\"fill:" + s.colour + "\"" : std::string("class=\"hit\""),
                     escape_html(fmt::format("{}: {} % at {}", s.name, percent(y, 1), grouped(x))));
}

std::string draw_line(const Series& s, const Frame& f, bool markers) {
  std::string path, dots;
  bool pen_down = false;
  for (const auto& [x, y] : s.points) {
    if (std::isfinite(y)) {
      path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", f.x(x), f.y(y));
      if (markers) dots += draw_point(s, x, y, f, s.points.size() <= kFewPoints);
    }
    pen_down = std::isfinite(y);
  }
  if (path.empty()) return "";
  return fmt::format("<path class=\"curve\" d=\"{}\" style=\"stroke:{};stroke-width:{}\"/>\n", path, s.colour,
                     s.width) +
         dots;
}

/// Names at the right ends, moved apart so that none hides another.
std::string draw_end_labels(const LineChart& chart, const Frame& f) {
  struct Label {
    double y, wanted;
    const Series* series;
  };
  std::vector<Label> labels;
  for (const Series& s : chart.series)
    for (auto p = s.points.rbegin(); p != s.points.rend(); ++p)
      if (std::isfinite(p->second)) {
        labels.push_back({f.y(p->second), f.y(p->second), &s});
        break;
      }
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) {
    return std::pair(a.wanted, a.series) < std::pair(b.wanted, b.series);
  });
  const auto count = static_cast<double>(labels.size());
  const double gap = std::min(14.0, (f.bottom - f.top + 14) / std::max(1.0, count));
  for (size_t i = 0; i < labels.size(); ++i)
    labels[i].y = std::max(labels[i].wanted, i == 0 ? f.top - 4 : labels[i - 1].y + gap);
  double floor = f.bottom + 6;
  for (size_t i = labels.size(); i-- > 0; floor = labels[i].y - gap)
    labels[i].y = std::min(labels[i].y, floor);
  std::string out;
  for (const Label& label : labels)
    out += text_at(f.right + 9, label.y + 4, shorten(label.series->name, 32), "start", "halo",
                   "style=\"fill:" + label.series->colour + "\"");
  return out;
}

/// Where the cells of a heatmap lie.
struct Grid {
  double left, top, cell_width, cell_height;
  bool upright;  // column names turned by a quarter
};

bool names_fit(double cell) { return cell >= 11; }

Grid grid_of(const Heatmap& map) {
  const double rows = static_cast<double>(map.values.size()),
               columns = static_cast<double>(map.values[0].size());
  Grid g{};
  g.left = 10 + std::max(widest(map.row_names, 22), 30.0);
  g.cell_width = std::min(map.largest_cell, (map.width - g.left - 4) / columns);
  g.cell_height = rows == columns ? std::min(g.cell_width, 40.0) : std::clamp(320 / rows, 6.0, 26.0);
  g.upright = widest(map.column_names, 22) + 6 > g.cell_width;
  const bool shown = names_fit(g.cell_width);
  g.top = 26 + (!shown ? 14 : g.upright ? widest(map.column_names, 22) : 14);
  return g;
}

std::string draw_names(const Heatmap& map, const Grid& g) {
  std::string out;
  const size_t every_row = names_fit(g.cell_height) ? 1 : 10, every_column = names_fit(g.cell_width) ? 1 : 10;
  for (size_t r = 0; r < map.row_names.size() && r < map.values.size(); r += every_row)
    out += text_at(g.left - 8, g.top + g.cell_height * (static_cast<double>(r) + 0.5) + 4,
                   shorten(map.row_names[r], 22), "end", "", g.cell_height < 13 ? "font-size=\"10\"" : "");
  for (size_t c = 0; c < map.column_names.size() && c < map.values[0].size(); c += every_column) {
    const double x = g.left + g.cell_width * (static_cast<double>(c) + 0.5);
    const std::string name = every_column == 1 ? shorten(map.column_names[c], 22) : std::to_string(c);
    if (g.upright && every_column == 1)
      out += text_at(0, 0, name, "start", "",
                     fmt::format("transform=\"translate({:.1f} {:.1f}) rotate(-90)\"{}", x + 4, g.top - 7,
                                 g.cell_width < 13 ? " font-size=\"10\"" : ""));
    else
      out += text_at(x, g.top - 7, name, "middle");
  }
  out += text_at(g.left, 12, map.column_title + " →", "start");
  out += text_at(g.left - 8, 12, map.row_title + " ↓", "end");
  return out;
}

std::string value_text(const Heatmap& map, double value) {
  return map.as_percent ? percent(value, 1) : short_count(value);
}

std::string draw_cells_one_by_one(const Heatmap& map, const Grid& g) {
  std::string out;
  const bool written = g.cell_width >= 32 && g.cell_height >= 16;
  for (size_t r = 0; r < map.values.size(); ++r)
    for (size_t c = 0; c < map.values[r].size(); ++c) {
      const double value = map.values[r][c];
      if (!std::isfinite(value)) continue;
      const double x = g.left + g.cell_width * static_cast<double>(c);
      const double y = g.top + g.cell_height * static_cast<double>(r);
      const double strength = map.high > 0 ? std::clamp(value / map.high, 0.0, 1.0) : 0;
      const std::string row = r < map.row_names.size() ? map.row_names[r] : "";
      const std::string column = c < map.column_names.size() ? map.column_names[c] : "";
      out +=
          titled(fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
                             "style=\"fill:var(--accent);fill-opacity:{:.3f}\"",
                             x + 0.5, y + 0.5, g.cell_width - 1, g.cell_height - 1, 0.04 + 0.96 * strength),
                 fmt::format("{}, {}: {}", row, column, value_text(map, value)));
      if (written && (map.as_percent || value > 0))
        out += text_at(x + g.cell_width / 2, y + g.cell_height / 2 + 4, value_text(map, value), "middle",
                       strength > 0.78   ? "on"
                       : strength > 0.58 ? "mid"
                                         : "ink");
    }
  return out;
}

/// Many cells: one path for each of sixteen strengths keeps the page small.
std::string draw_cells_by_strength(const Heatmap& map, const Grid& g) {
  constexpr int kLevels = 16;
  std::vector<std::string> paths(kLevels + 1);
  for (size_t r = 0; r < map.values.size(); ++r)
    for (size_t c = 0; c < map.values[r].size(); ++c) {
      const double value = map.values[r][c];
      if (!std::isfinite(value) || value <= 0 || map.high <= 0) continue;
      const auto level = static_cast<size_t>(std::ceil(kLevels * std::min(1.0, value / map.high)));
      paths[level] += fmt::format(
          "M{:.1f} {:.1f}h{:.1f}v{:.1f}h-{:.1f}z", g.left + g.cell_width * static_cast<double>(c),
          g.top + g.cell_height * static_cast<double>(r), g.cell_width, g.cell_height, g.cell_width);
    }
  std::string out;
  for (int level = 1; level <= kLevels; ++level)
    if (!paths[static_cast<size_t>(level)].empty())
      out += fmt::format("<path d=\"{}\" style=\"fill:var(--accent);fill-opacity:{:.3f}\"/>\n",
                         paths[static_cast<size_t>(level)], 0.06 + 0.94 * level / kLevels);
  return out;
}

std::string rounded_rect(double x, double y, double width, double height, const std::string& colour,
                         double opacity) {
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\" style=\"fill:{};fill-opacity:{}\"",
      x, y, std::max(0.0, width), height, colour, opacity);
}

template <class Bars>
double names_width(const Bars& bars) {
  std::vector<std::string> names;
  for (const auto& row : bars.rows) names.push_back(row.name);
  const double width = widest(names, 32);
  return width > 0 ? width + 12 : 0;
}

template <class Bars>
double notes_width(const Bars& bars) {
  std::vector<std::string> notes;
  for (const auto& row : bars.rows) notes.push_back(row.note);
  const double width = widest(notes, 60);
  return width > 0 ? width + 10 : 0;
}

}  // namespace

std::string shorten(const std::string& text, size_t most) {
  if (letters(text) <= most || most == 0) return text;
  size_t bytes = 0;
  for (size_t kept = 0; kept < most; ++bytes)
    if ((text[bytes] & 0xC0) != 0x80 && ++kept == most) break;
  return text.substr(0, bytes) + "…";
}

std::vector<double> nice_ticks(double low, double high, int count) {
  if (!(high > low) || count < 1) return {low};
  const double raw = (high - low) / count, power = std::pow(10, std::floor(std::log10(raw)));
  double step = power * 10;
  for (const double nice : {1.0, 2.0, 2.5, 5.0})
    if (power * nice >= raw * 0.999) {
      step = power * nice;
      break;
    }
  std::vector<double> out;
  for (double i = std::ceil(low / step - 1e-9) + 0.0; i * step <= high * (1 + 1e-12) && out.size() < 100; ++i)
    out.push_back(i * step + 0.0);
  return out;
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& names_and_colours) {
  std::string out = "<ul class=\"legend\">";
  for (const auto& [name, colour] : names_and_colours)
    out += fmt::format("<li><i style=\"background:{}\"></i>{}</li>", colour, escape_html(name));
  return out + "</ul>\n";
}

std::string draw(const LineChart& chart) {
  const Frame f = frame_of(chart);
  std::string out =
      open_svg(chart.width, chart.height, chart.label) + draw_axes(chart, f) + draw_bounds(chart, f);
  for (const Series& s : chart.series) out += draw_band(s, f);
  for (const Series& s : chart.series) out += draw_line(s, f, chart.markers);
  if (chart.end_labels) out += draw_end_labels(chart, f);
  return out + "</svg>\n";
}

std::string draw(const Heatmap& map) {
  if (map.values.empty() || map.values[0].empty()) return "";
  const Grid g = grid_of(map);
  const double height = g.top + g.cell_height * static_cast<double>(map.values.size()) + 2;
  const double width = g.left + g.cell_width * static_cast<double>(map.values[0].size()) + 2;
  const bool few = map.values.size() * map.values[0].size() <= 1200;
  return open_svg(std::max(width, 220.0), height, map.label) + draw_names(map, g) +
         (few ? draw_cells_one_by_one(map, g) : draw_cells_by_strength(map, g)) +
         fmt::format(
             "<rect class=\"grid\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n</svg>\n",
             g.left, g.top, width - g.left - 2, height - g.top - 2);
}

std::string draw(const StackedBars& bars) {
  const double left = names_width(bars), right = bars.width - notes_width(bars), h = bars.row_height;
  std::string out = open_svg(bars.width, h * static_cast<double>(bars.rows.size()) + 4, bars.label);
  double y = 2;
  for (const auto& row : bars.rows) {
    double x = left;
    out += text_at(left - 10, y + h / 2 + 4, shorten(row.name, 32), "end", "ink");
    for (const auto& part : row.parts) {
      if (!std::isfinite(part.value) || part.value <= 0 || bars.high <= 0) continue;
      const double width = (right - left) * std::min(1.0, part.value / bars.high);
      out += titled(rounded_rect(x, y + 3, width, h - 6, part.colour, part.faded ? 0.45 : 1), part.name);
      x += width;
    }
    out += text_at(x + 8, y + h / 2 + 4, row.note);
    y += h;
  }
  return out + "</svg>\n";
}

std::string draw(const ErrorBars& bars) {
  constexpr double kRow = 34;
  const double left = names_width(bars), right = bars.width - notes_width(bars) - 8;
  const auto at = [&](double v) { return left + (right - left) * std::clamp(v / bars.high, 0.0, 1.0); };
  std::string out = open_svg(bars.width, kRow * static_cast<double>(bars.rows.size()) + 22, bars.label);
  const double bottom = kRow * static_cast<double>(bars.rows.size()) + 2;
  for (const double tick : nice_ticks(0, bars.high, 5)) {
    out += line(at(tick), 2, at(tick), bottom, tick == 0 ? "axis" : "grid");
    out += text_at(at(tick), bottom + 16, fmt::format("{:g}", std::round(tick * 1e4) / 100), "middle");
  }
  double y = 2;
  for (const auto& row : bars.rows) {
    const double middle = y + kRow / 2;
    out += text_at(left - 10, middle + 4, shorten(row.name, 32), "end", "ink");
    if (std::isfinite(row.mean)) {
      const double end = std::isfinite(row.spread) ? at(row.mean + row.spread) : at(row.mean);
      out += titled(rounded_rect(left, middle - 9, at(row.mean) - left, 18, row.colour, 0.85),
                    row.name + " " + row.note);
      if (row.spread > 0) {
        out += fmt::format(
            "<path d=\"M{0:.1f} {1:.1f}H{2:.1f}M{0:.1f} {3:.1f}v10M{2:.1f} {3:.1f}v10\" "
            "style=\"stroke:var(--ink);stroke-width:1.25;fill:none\"/>\n",
            at(row.mean - row.spread), middle, end, middle - 5);
      }
      double furthest = end;
      for (const double v : row.values) {
        furthest = std::max(furthest, at(v));
        if (row.values.size() > 1)
          out += fmt::format(
              "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.6\" "
              "style=\"fill:var(--paper);stroke:var(--ink)\"/>\n",
              at(v), middle);
      }
      out += text_at(furthest + 9, middle + 4, row.note, "start", "halo ink");
    } else {
      out += text_at(left + 8, middle + 4, row.note);
    }
    y += kRow;
  }
  return out + "</svg>\n";
}

}  // namespace perennial::report
