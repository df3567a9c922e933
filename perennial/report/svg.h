#pragma once

#include <string>
#include <utility>
#include <vector>

namespace perennial::report {

/// A small writer of charts as inline SVG. Colours are CSS values (mostly variables of the page's palettes),
/// text is escaped here. Values that are not finite are gaps. Every chart is 800 units wide unless it says
/// otherwise.

struct Series {
  std::string name, colour;
  std::vector<std::pair<double, double>> points;  ///< x ascending; y a fraction
  std::vector<double> spread;  ///< half the height of a band around each point; may be empty
  double width = 1.75;
};

/// Lines over the samples of a stream; y in percent.
struct LineChart {
  std::string label;  ///< for screen readers
  std::string x_title, y_title;
  std::vector<Series> series;
  std::vector<double> bounds;            ///< vertical lines, each closing a stretch
  std::vector<std::string> bound_names;  ///< of the stretches
  double width = 800, height = 300;
  bool end_labels = false;  ///< names at the right end of the lines
  bool markers = true;
};
std::string draw(const LineChart& chart);

struct Heatmap {
  std::string label, row_title, column_title;
  std::vector<std::vector<double>> values;
  std::vector<std::string> row_names, column_names;
  double high = 1;         ///< the value of the full colour
  bool as_percent = true;  ///< else counts
  double width = 800, largest_cell = 62;
};
std::string draw(const Heatmap& map);

/// Horizontal bars of one or more parts.
struct StackedBars {
  struct Part {
    double value;
    std::string colour, name;
    bool faded = false;
  };
  struct Row {
    std::string name;
    std::vector<Part> parts;
    std::string note;  ///< right of the bar
  };
  std::string label;
  std::vector<Row> rows;
  double high = 1;  ///< the value of the full length
  double width = 800, row_height = 24;
};
std::string draw(const StackedBars& bars);

/// Horizontal bars with the spread of several runs: a whisker of one standard deviation, a dot for each run.
struct ErrorBars {
  struct Row {
    std::string name, colour;
    double mean, spread;
    std::vector<double> values;
    std::string note;
  };
  std::string label;
  std::vector<Row> rows;
  double high = 1;
  double width = 800;
};
std::string draw(const ErrorBars& bars);

/// Round steps from low to high, about `count` of them.
std::vector<double> nice_ticks(double low, double high, int count);

/// At most `most` characters (code points), the last of which is "…" when something was cut.
std::string shorten(const std::string& text, size_t most);

/// Names beside patches of colour, as an HTML list.
std::string legend(const std::vector<std::pair<std::string, std::string>>& names_and_colours);

}  // namespace perennial::report
