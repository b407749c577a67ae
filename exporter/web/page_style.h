// The status page's style sheet.
#pragma once

#include <string_view>

namespace slosonde::exporter {

inline constexpr std::string_view kPageStyle = R"css(
:root {
  --ground: #f6f7f9; --card: #fff; --line: #e1e4ea; --text: #1b2230; --dim: #5b6577; --link: #1f5fbf;
  --good: #17713a; --good-soft: #dcf3e3; --bad: #b3202a; --bad-soft: #fbe1e2; --warn: #855400; --warn-soft: #fcedcf;
  --idle: #4c5668; --idle-soft: #e8ebf0; --track: #e8ebf0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12151b; --card: #1a1f28; --line: #2c333f; --text: #e6e9ef; --dim: #9aa5b8; --link: #82b1ff;
    --good: #6fd394; --good-soft: #17351f; --bad: #ff8f96; --bad-soft: #421b1f; --warn: #f0b85a; --warn-soft: #3b2c10;
    --idle: #aeb8c9; --idle-soft: #29303c; --track: #29303c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 76rem; padding: 1.5rem 1.25rem 3rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
a { color: var(--link); }
h1 { font-size: 1.35rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
header p { margin: .15rem 0 0; color: var(--dim); }
header strong { color: var(--text); }
.title { display: flex; align-items: center; gap: .75rem; }
.why { margin: 1rem 0 0; padding: .6rem .9rem .6rem 2rem; border-radius: 8px; background: var(--warn-soft); color: var(--warn); }
.tag {
  display: inline-block; padding: .05rem .55rem; border-radius: 999px; font-size: .8rem; font-weight: 600;
  white-space: nowrap; background: var(--idle-soft); color: var(--idle);
}
.tag.good { background: var(--good-soft); color: var(--good); }
.tag.bad { background: var(--bad-soft); color: var(--bad); }
.tag.warn { background: var(--warn-soft); color: var(--warn); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); gap: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.1rem; }
.card + .card.wide { margin-top: 1rem; }
.row { display: flex; justify-content: space-between; align-items: baseline; gap: .75rem; flex-wrap: wrap; }
.dim { color: var(--dim); font-size: .87rem; margin: 0; }
.figure { font-size: 1.9rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.2; margin: .6rem 0 0; font-variant-numeric: tabular-nums; }
.figure small { font-size: .87rem; font-weight: 400; letter-spacing: 0; color: var(--dim); }
.bar { height: 8px; border-radius: 4px; background: var(--track); overflow: hidden; margin: .45rem 0 .7rem; }
.bar i { display: block; height: 100%; border-radius: 4px; background: var(--good); }
.bar.low i { background: var(--warn); }
.bar.spent i { background: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
caption { text-align: left; color: var(--dim); font-size: .87rem; padding-bottom: .2rem; }
th, td { padding: .36rem .6rem; text-align: left; border-top: 1px solid var(--line); vertical-align: baseline; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--dim); font-weight: 500; font-size: .82rem; border-top: 0; }
tbody th { font-weight: 600; }
td.n, th.n { text-align: right; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 14rem; }
td.zero { color: var(--dim); }
td.hit { color: var(--bad); font-weight: 600; }
code { font: .85em ui-monospace, "DejaVu Sans Mono", monospace; }
.bounds { color: var(--dim); font-size: .82rem; font-weight: 400; }
td .under, th .under { display: block; }
.card ~ p.dim { margin-top: .75rem; }
ul.alerts { list-style: none; margin: .7rem 0 0; padding: 0; display: grid; gap: .3rem; font-size: .87rem; }
.steps span { white-space: nowrap; }
.steps .b { color: var(--bad); font-weight: 600; }
.empty { color: var(--dim); }
footer { margin-top: 2.5rem; padding-top: .8rem; border-top: 1px solid var(--line); color: var(--dim); font-size: .87rem; }
footer p { margin: .2rem 0; }
)css";

}  // namespace slosonde::exporter
