/** One line of a plot; `color` is a class of the page's style. */
export interface Line {
  readonly label: string;
  readonly color: "a" | "b" | "c";
  readonly isEarlier: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  /** `nines`: whole numbers are 0, 90, 99, 99.9 per cent. */
  readonly x: "linear" | "nines";
  readonly xText: (x: number) => string;
  readonly yText: (y: number) => string;
  readonly lines: readonly Line[];
}

const WIDTH = 560;
const HEIGHT = 240;
const LEFT = 70;
const RIGHT = 24;
const TOP = 40;
const BOTTOM = 28;
const TICKS = 4;

/** A plot as SVG: static, so that a report needs no script. */
export function chartSvg({ title, x: kind, xText, yText, lines }: Chart): string {
  const drawn = lines.map((line) => ({
    ...line,
    points: line.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)),
  }));
  // A load of days has more points than a call may have arguments.
  const most = (axis: 0 | 1): number =>
    drawn.reduce((max, { points }) => points.reduce((so, point) => Math.max(so, point[axis]), max), 1e-9);
  const maxX = most(0);
  const maxY = most(1) * 1.05;
  const left = (x: number): string => (LEFT + (x / maxX) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const top = (y: number): string => (HEIGHT - BOTTOM - (y / maxY) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => i / TICKS);
  const grid = ticks.map((share) => {
    const y = top(share * maxY);
    const label = `<text x="${LEFT - 6}" y="${Number(y) + 4}" text-anchor="end">${escapeText(yText(share * maxY))}</text>`;
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>${label}`;
  });
  const places = kind === "nines" ? Array.from({ length: Math.floor(maxX) + 1 }, (_, i) => i) : ticks.map((share) => share * maxX);
  const below = places.map((x) => `<text x="${left(x)}" y="${HEIGHT - 8}" text-anchor="middle">${escapeText(xText(x))}</text>`);
  const paths = drawn.map(({ color, isEarlier, points }) => {
    const steps = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${left(x)} ${top(y)}`);
    return `<path class="${color}${isEarlier ? " earlier" : ""}" d="${steps.join("")}"/>`;
  });
  const names = lines.map(({ label, color, isEarlier }, i) => {
    const at = LEFT + (i % 4) * 120;
    const style = `${color}${isEarlier ? " earlier" : ""}`;
    return `<path class="${style}" d="M${at} 28h18"/><text x="${at + 22}" y="32">${escapeText(label)}</text>`;
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">`,
    `<text class="title" x="${LEFT}" y="14">${escapeText(title)}</text>`,
    ...names,
    ...grid,
    ...below,
    ...paths,
    "</svg>",
  ].join("");
}

export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
