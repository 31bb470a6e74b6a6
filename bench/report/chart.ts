import type { DataSet } from "../data/data_set.ts";
import { size } from "./goals.ts";
import { operationsOf, type Outcomes } from "../outcomes.ts";

const WIDTH = 880;
const MARGIN = 20;
/** Where bars begin. */
const LEFT = 130;
/** What is left for the figure behind the longest bar. */
const RIGHT = 110;
const BAR = 15;
const BAR_STEP = 18;
const HEADING_STEP = 24;
const PANEL_GAP = 30;

/**
 * Colours of the programs, in their order, by the hues that people with a colour vision deficiency
 * tell apart (Okabe and Ito).
 */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7"];

/** The background is drawn, so that text can be read on any page; it follows the reader's theme. */
const STYLE = `
  .page { fill: #ffffff }
  text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .title { font-size: 16px; font-weight: 600 }
  .heading { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 }
    text { fill: #e6edf3 }
  }
`;

/** Speed of every program, as bars: a panel for each data set, longer is faster. */
export function speedChart(
  data: readonly DataSet[],
  outcomes: Outcomes,
  programs: readonly string[],
): string {
  const parts: string[] = [];
  let y = MARGIN + 16;
  parts.push(text(MARGIN, y, "MB/s through a pipe, median; longer is faster", "title"));
  y += HEADING_STEP;
  for (const set of data) {
    const operations = operationsOf(set);
    const most = Math.max(
      ...operations.flatMap(({ name }) =>
        programs.map((program) => outcomes.get(set.name, name, program)?.speed ?? 0)
      ),
    );
    const scale = (WIDTH - LEFT - RIGHT - MARGIN) / most;
    y += PANEL_GAP - HEADING_STEP;
    parts.push(text(MARGIN, y, `${set.title}, ${size(set.first.bytes)}`, "title"));
    y += HEADING_STEP;
    for (const operation of operations) {
      parts.push(text(MARGIN, y, operation.title, "heading"));
      y += 8;
      programs.forEach((program, index) => {
        const speed = outcomes.get(set.name, operation.name, program)?.speed;
        if (speed === undefined) return;
        const width = Math.max(1, speed * scale);
        const baseline = y + BAR - 3;
        parts.push(
          text(LEFT - 8, baseline, program, "", "end"),
          `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" ` +
            `fill="${COLOURS[index % COLOURS.length]}"/>`,
          text(LEFT + width + 6, baseline, speed.toFixed(0)),
        );
        y += BAR_STEP;
      });
      y += HEADING_STEP;
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" ` +
    `height="${y}" role="img" aria-label="Speed of each program by data set and operation">`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${WIDTH}" height="${y}" rx="6"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, content: string, kind = "", anchor = ""): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const attributes = (kind && ` class="${kind}"`) + (anchor && ` text-anchor="${anchor}"`);
  return `<text x="${x.toFixed(1)}" y="${y}"${attributes}>${escaped}</text>`;
}
