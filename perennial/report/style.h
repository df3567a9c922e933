#pragma once

#include <string_view>

namespace perennial::report {

/// The style sheet of report pages: one column of figures with a margin for reading aids, as in a printed
/// report.
inline constexpr std::string_view kStyle = R"css(
:root{--paper:#fdfdfb;--ink:#1a1e1b;--soft:#5c665f;--line:#dcdfd9;--faint:#f2f4ef;--accent:#1b6b4d;--lost:#c4562b;
--sans:"Inter","Helvetica Neue",Helvetica,Arial,"Liberation Sans",system-ui,sans-serif;
--serif:Charter,"Bitstream Charter","Iowan Old Style","Source Serif 4",Georgia,"Liberation Serif",serif;
--mono:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace}
@media screen and (prefers-color-scheme:dark){:root{--paper:#131614;--ink:#e6e9e4;--soft:#98a29b;--line:#2d332f;
--faint:#1c201d;--accent:#62c698;--lost:#f0905f}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 var(--sans);font-variant-numeric:tabular-nums}
main{max-width:1160px;margin:0 auto;padding:44px 32px 80px}
h1{font:400 38px/1.15 var(--serif);margin:6px 0 10px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font:400 21px/1.25 var(--serif);margin:0 0 8px}
h3{font:600 13px/1.3 var(--sans);margin:30px 0 8px}
.body>h3:first-child{margin-top:3px}
p{margin:0 0 10px}
sub{font-size:.72em;line-height:0}
.kicker{color:var(--soft);font-size:13px}
.about{color:var(--soft);max-width:76ch;overflow-wrap:anywhere}
.about b{color:var(--ink);font-weight:600}
.lead{font:400 19px/1.5 var(--serif);max-width:66ch;margin:22px 0 0}
.notice{margin:18px 0 0;padding:9px 14px;border-left:3px solid var(--lost);background:var(--faint)}
.headline{display:grid;grid-template-columns:minmax(250px,1fr) 3fr;gap:12px 44px;margin:34px 0 8px;
padding:24px 0;border-top:1px solid var(--ink);border-bottom:1px solid var(--line);align-items:end}
.big b{display:block;font:400 84px/.95 var(--serif);letter-spacing:-.03em;color:var(--accent)}
.big b i{font-style:normal;font-size:.45em;margin-left:.12em;letter-spacing:0}
.big span{display:block;margin-top:12px;font-size:13.5px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(148px,1fr));gap:18px 22px;margin:0}
.facts div{display:flex;flex-direction:column}
.facts dt{order:2;color:var(--soft);font-size:12.5px;line-height:1.35}
.facts dd{margin:0;font-size:21px;line-height:1.3}
.facts dd i{font-style:normal;color:var(--soft);font-size:.7em}
.big span i{font-style:normal;color:var(--soft);margin-left:.4em}
section{display:grid;grid-template-columns:232px minmax(0,1fr);gap:12px 44px;padding:34px 0 30px;
border-top:1px solid var(--line)}
.headline+section{border-top:0}
.aid{color:var(--soft);font-size:13.5px;line-height:1.5}
.aid h2{color:var(--ink)}
.aid p{margin:0 0 8px}
svg{display:block;width:100%;height:auto;font-family:var(--sans);font-size:12px;overflow:visible}
svg.narrow{max-width:560px}
svg text{fill:var(--soft)}
svg text.ink{fill:var(--ink)}
svg text.on{fill:var(--paper)}
svg text.mid{fill:var(--ink)}
@media screen and (prefers-color-scheme:dark){svg text.mid{fill:var(--paper)}}
svg .grid{stroke:var(--line);stroke-width:1;fill:none}
svg .axis{stroke:var(--soft);stroke-width:1;fill:none}
svg .bound{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3;fill:none}
svg .curve{fill:none;stroke-linejoin:round;stroke-linecap:round}
svg .halo{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
svg .hit{fill:transparent;stroke:none}
svg .hit:hover{fill:var(--ink);fill-opacity:.35}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:0 0 10px;padding:0;list-style:none;font-size:12.5px;
color:var(--soft)}
.legend i{display:inline-block;width:11px;height:11px;margin-right:6px;border-radius:2px;vertical-align:-1px}
table{border-collapse:collapse;width:100%;font-size:13.5px}
.scroll{overflow-x:auto}
th,td{padding:6px 14px 6px 0;text-align:right;border-bottom:1px solid var(--line);vertical-align:baseline;
white-space:nowrap}
th{font-weight:400;color:var(--soft);font-size:12.5px;vertical-align:bottom;border-bottom-color:var(--soft)}
th:first-child,td:first-child,.text{text-align:left}
th:last-child,td:last-child{padding-right:0}
td.text,td:first-child{white-space:normal;overflow-wrap:anywhere}
td small{color:var(--soft);font-size:.88em}
td i.key{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:8px;vertical-align:-1px}
td.best{font-weight:600}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(225px,1fr));gap:6px 30px}
.short{max-width:600px}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(236px,1fr));gap:22px 26px}
.panels h4,.kept h4{font:400 12.5px/1.3 var(--sans);margin:0 0 4px}
.panels h4 small,.kept h4 small{color:var(--soft);font-size:1em}
.kept{display:flex;flex-wrap:wrap;gap:18px 28px}
.kept>div{max-width:100%}
.thumbs{display:flex;flex-wrap:wrap;gap:5px}
.thumbs>span{width:42px;font-size:9.5px;line-height:1.25;color:var(--soft);text-align:center;overflow:hidden}
.thumbs i{display:block;width:42px;height:42px;border-radius:2px;background-repeat:no-repeat;
-webkit-print-color-adjust:exact;print-color-adjust:exact}
.thumbs .wrong i{outline:2px solid var(--lost);outline-offset:-2px}
.thumbs .wrong{color:var(--lost)}
.thumbs em{display:block;font-style:normal;white-space:nowrap;text-overflow:ellipsis;overflow:hidden}
.meter{display:block;height:3px;margin:2px 0 1px;background:var(--line);border-radius:1px;overflow:hidden}
.meter b{display:block;height:3px;background:var(--accent);-webkit-print-color-adjust:exact;print-color-adjust:exact}
.peek{border:1px dashed var(--lost);border-radius:3px;padding:16px 20px}
.peek strong{color:var(--lost);font-weight:600}
pre{margin:0;font:12.5px/1.55 var(--mono);columns:2 300px;column-gap:36px;white-space:pre-wrap;overflow-wrap:anywhere}
footer{border-top:1px solid var(--line);padding-top:14px;color:var(--soft);font-size:12.5px}
@media (max-width:860px){main{padding:24px 16px 48px}section,.headline{grid-template-columns:minmax(0,1fr)}
.big b{font-size:68px}h1{font-size:30px}.aid{max-width:64ch}}
@media screen and (max-width:620px){.body{overflow-x:auto}.body>svg{min-width:580px}}
@media print{@page{margin:14mm}.thumbs{zoom:.65}body{font-size:11px}main{padding:0;max-width:none}section{padding:16px 0 14px;
grid-template-columns:150px minmax(0,1fr);gap:8px 24px}.headline{margin:16px 0 4px;padding:14px 0;
grid-template-columns:170px 1fr}.big b{font-size:56px}.facts dd{font-size:16px}
svg,tr,.kept>div,.panels>div,.peek{break-inside:avoid}h2,h3,h4{break-after:avoid}svg *,i,b{-webkit-print-color-adjust:exact;
print-color-adjust:exact}}
)css";

}  // namespace perennial::report
