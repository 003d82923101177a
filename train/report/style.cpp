// CSS: light and dark, from a phone's width to a desk's, and on paper.
#include "style.h"

namespace normlab {

const char* const kStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --card: #f7f7f4; --ink: #1f1f1d; --soft: #62625c; --rule: #c9c9c2; --grid: #e6e6e0; --link: #005a94;
  --held: #00694b; --held-tint: #e3f3ec; --failed: #a8400b; --failed-tint: #fbeadf; --open: #5b5b66;
    --open-tint: #ececf1;
  --series-0: #0072b2; --series-1: #d55e00; --series-2: #009e73; --series-3: #cc79a7; --series-4: #e69f00;
  --series-5: #56b4e9; --series-6: #5a5a5a;
  --serif: Charter, "Bitstream Charter", "Iowan Old Style", "Palatino Linotype", Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #16171a; --card: #1f2024; --ink: #e9e8e3; --soft: #a5a49c; --rule: #4a4b50; --grid: #2f3035;
      --link: #7cc4f5;
    --held: #5fd3ab; --held-tint: #17362c; --failed: #ff9d66; --failed-tint: #40261a; --open: #b9b9c6;
      --open-tint: #2c2d36;
    --series-0: #4ba3dd; --series-1: #f0803c; --series-2: #2fc394; --series-3: #dd97bf; --series-4: #efb63e;
    --series-5: #8fd0f7; --series-6: #b5b5b5;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 70rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 var(--sans); font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
a { color: var(--link); text-underline-offset: .15em; text-decoration-thickness: .06em; }
p { margin: 0 0 .8rem; }
h1, h2, h3 { font-family: var(--serif); font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(1.6rem, 1.1rem + 2.2vw, 2.5rem); margin: .3rem 0 1rem; max-width: 32ch; letter-spacing: -.01em; }
h2 { font-size: 1.4rem; margin: 3rem 0 1rem; padding-top: .8rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.15rem; margin: 0 0 .35rem; }
code, pre { font-family: var(--mono); font-size: .86em; }
pre { background: var(--card); border-radius: .5rem; padding: .9rem 1rem; overflow-x: auto; margin: 0 0 1rem;
  line-height: 1.45; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
.eyebrow { color: var(--soft); font-size: .9rem; margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; color: var(--soft); margin: 0; padding: 0;
  list-style: none; }
.facts b { color: var(--ink); font-weight: 600; }
.soft { color: var(--soft); }
.small { font-size: .88rem; }
.notice { background: var(--open-tint); border-radius: .5rem; padding: .7rem 1rem; margin: 1.2rem 0 0; }

.verdict { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 20rem); grid-template-rows: auto 1fr;
  gap: .6rem 3rem;
  background: var(--card); border-left: .35rem solid var(--tone); border-radius: .5rem;
    padding: 1.2rem 1.6rem 1.3rem 1.4rem;
  margin: 0 0 1rem; break-inside: avoid; }
.verdict .numbers { grid-column: 2; grid-row: 1 / 3; }
.held { --tone: var(--held); --tint: var(--held-tint); }
.did-not-hold { --tone: var(--failed); --tint: var(--failed-tint); }
.undecided { --tone: var(--open); --tint: var(--open-tint); }
.stamp { display: inline-block; color: var(--tone); background: var(--tint); border-radius: 1rem;
  padding: .1rem .75rem .15rem;
  font-size: .88rem; font-weight: 650; white-space: nowrap; }
.verdict .claim { font: 600 1.18rem/1.35 var(--serif); margin: .5rem 0 .35rem; }
.verdict .id { color: var(--soft); font-weight: 400; margin-left: .5rem; font-size: .9rem; }
.verdict .value { font-size: 1.9rem; font-weight: 600; line-height: 1.15; margin: 0; letter-spacing: -.01em; }
.verdict .interval { color: var(--soft); margin: 0 0 .5rem; }
.verdict .interval b { color: var(--ink); }
.verdict .words > p { margin: 0 0 .4rem; }
.why { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: .1rem .9rem; font-size: .92rem; }
.why dt { color: var(--soft); }
.why dd { margin: 0; }
.strip { position: relative; height: 1.7rem; margin: .6rem 0 .7rem; }
.strip > * { position: absolute; top: 50%; transform: translateY(-50%); }
.strip .axis { left: 0; right: 0; height: 1px; background: var(--rule); }
.strip .range { height: 100%; background: var(--held); opacity: .16; border-radius: .2rem; min-width: 3px; }
.strip .bar { height: .3rem; border-radius: .15rem; background: var(--tone); min-width: 2px; }
.strip .dot { width: .85rem; height: .85rem; margin-left: -.425rem; border-radius: 50%; background: var(--tone); }
.strip .theirs { width: .7rem; height: .7rem; margin-left: -.35rem; transform: translateY(-50%) rotate(45deg);
  border: 2px solid var(--ink); background: var(--paper); }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; color: var(--soft); font-size: .85rem; margin: 0 0 1rem; }
.key i { display: inline-block; vertical-align: baseline; margin-right: .4rem; background: var(--soft); }
.key .k-range { width: 1.2rem; height: .8rem; background: var(--held); opacity: .25; border-radius: .15rem; }
.key .k-bar { width: 1.2rem; height: .3rem; border-radius: .15rem; margin-bottom: .18rem; }
.key .k-theirs { width: .55rem; height: .55rem; transform: rotate(45deg); border: 2px solid var(--ink);
  background: none; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 2rem 2.5rem; }
figure { margin: 0; max-width: 44rem; break-inside: avoid; min-width: 0; }
figcaption { margin: 0 0 .5rem; }
figcaption .source { color: var(--soft); font-size: .88rem; }
.plot { display: block; width: 100%; height: auto; font-family: var(--sans); color: var(--ink); }

.scroll { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; min-width: min(100%, 34rem); font-size: .94rem; }
.ledger { width: 100%; }
th, td { text-align: left; padding: .45rem 1.6rem .45rem 0; border-bottom: 1px solid var(--grid); vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: .86rem; }
tbody th { color: var(--ink); font-size: inherit; }
thead th { border-bottom-color: var(--rule); }
td.number, th.number { text-align: right; white-space: nowrap; }
tr > :last-child { padding-right: 0; }
details { margin: 0 0 .6rem; }
summary { cursor: pointer; color: var(--link); width: fit-content; padding: .2rem 0; }
details > :not(summary) { margin-top: .5rem; }
details .scroll, details pre { max-height: 30rem; overflow: auto; }
.facts-table { min-width: 0; }
.facts-table th { padding-right: 1.5rem; font-weight: 400; color: var(--soft); white-space: nowrap; }
footer { margin-top: 3rem; padding-top: .8rem; border-top: 1px solid var(--rule); color: var(--soft);
  font-size: .88rem; }

.controls { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.4rem 0; align-items: center; }
.controls button, .controls select, .controls input { font: inherit; font-size: .92rem; color: var(--ink);
  background: var(--card);
  border: 1px solid var(--rule); border-radius: 1.2rem; padding: .3rem .95rem; min-height: 2.3rem; }
.controls input { flex: 1 1 12rem; min-width: 0; }
.controls select { max-width: 100%; }
.controls button { cursor: pointer; }
.controls button[aria-pressed="true"] { background: var(--ink); color: var(--paper); border-color: var(--ink); }
.ledger th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
.ledger th[aria-sort="ascending"] button::after { content: " \2191"; }
.ledger th[aria-sort="descending"] button::after { content: " \2193"; }
.ledger td:first-child { font-weight: 600; white-space: nowrap; }
.ledger td:last-child { white-space: nowrap; }
.ledger .claim { min-width: 16rem; }
.below { display: block; }

@media (max-width: 46rem) {
  body { padding: 1.4rem 1rem 3rem; }
  h2 { margin-top: 2.2rem; }
  .verdict { grid-template-columns: minmax(0, 1fr); grid-template-rows: none; padding: 1rem 1.1rem; }
  .verdict .numbers { grid-column: 1; grid-row: auto; }
  th, td { padding-right: .6rem; }
  .ledger thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .ledger, .ledger tbody { display: block; }
  .ledger tr { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem 1.2rem; background: var(--card);
    border-left: .35rem solid var(--tone, var(--rule)); border-radius: .5rem; padding: .8rem 1rem .9rem;
      margin: 0 0 .8rem; }
  .ledger td { display: block; border: 0; padding: 0; text-align: left; white-space: normal; }
  .ledger td:empty { display: none; }
  .ledger td:nth-child(n+4) { order: 2; }
  .ledger td[data-label]::before { content: attr(data-label) " "; color: var(--soft); font-size: .88rem; }
  .ledger .claim { order: 1; width: 100%; min-width: 0; font: 600 1.1rem/1.35 var(--serif); padding: .2rem 0; }
  .ledger .claim .small { font: 400 .88rem/1.5 var(--sans); }
  .ledger td:nth-child(4) { width: 100%; }
  .ledger .number .below { display: inline; }
  .ledger tr[hidden] { display: none; }
}
@media print {
  @page { margin: 18mm 16mm; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  .verdict, .stamp, .strip *, .key i, .notice { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .figures { grid-template-columns: 1fr 1fr; gap: 1rem 1.5rem; }
  h2 { break-after: avoid; }
  .controls, .figure-files { display: none; }
  a { color: inherit; text-decoration: none; }
}
)css";

}  // namespace normlab
