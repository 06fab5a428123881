/**
 * Curves, by uPlot, with a table for those who do not see them.
 *
 * @module
 */
import uPlot from "uplot";
import { html, useEffect, useRef, type VNode } from "./dom.ts";

/** A curve. */
export interface Curve {
  /** Its name. */
  readonly label: string;
  /** A value for each window; null leaves a gap. */
  readonly values: readonly (number | null)[];
  /** The colour's name in the style sheet. */
  readonly colour: "--accent" | "--good" | "--warn";
  /** For people. */
  readonly show: (value: number) => string;
}

const HEIGHT = 240;

/** Curves over windows. */
export function Chart(props: {
  name: string;
  windows: readonly number[];
  curves: readonly Curve[];
}): VNode {
  const { curves, name, windows } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = [[...windows], ...curves.map(({ values }) => [...values])] as uPlot.AlignedData;
  useEffect(() => {
    const element = place.current!;
    const colour = (variable: string) => resolved(element, `var(${variable})`);
    const axis = { stroke: () => colour("--quiet"), grid: { stroke: () => colour("--line") } };
    const made = new uPlot(
      {
        width: Math.max(260, element.clientWidth),
        height: HEIGHT,
        scales: { x: { time: false } },
        axes: [axis, {
          ...axis,
          size: 70,
          values: (_, ticks) => ticks.map((tick) => String(+tick.toFixed(6))),
        }],
        series: [
          { label: "window" },
          ...curves.map(({ colour: variable, label, show }) => ({
            label,
            stroke: () => colour(variable),
            width: 2,
            spanGaps: true,
            value: (_: uPlot, value: number | null) => value === null ? "–" : show(value),
          })),
        ],
      },
      data,
      element,
    );
    plot.current = made;
    const resize = new ResizeObserver(() => {
      made.setSize({ width: Math.max(260, element.clientWidth), height: HEIGHT });
    });
    resize.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => made.redraw(false, true);
    scheme.addEventListener("change", redraw);
    addEventListener("vramscan-theme", redraw);
    return () => {
      resize.disconnect();
      scheme.removeEventListener("change", redraw);
      removeEventListener("vramscan-theme", redraw);
      made.destroy();
    };
  }, []);
  const text = JSON.stringify(data);
  useEffect(() => plot.current?.setData(data), [text]);
  return html`
    <figure class="sheet" aria-label=${describe(name, props)}>
      <figcaption class="quiet">${name}</figcaption>
      <div class="chart" ref=${place} aria-hidden="true"></div>
    </figure>
  `;
}

/** A colour as a canvas takes it. */
function resolved(element: HTMLElement, colour: string): string {
  const probe = document.createElement("span");
  probe.style.color = colour;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function describe(name: string, { curves, windows }: Parameters<typeof Chart>[0]): string {
  const told = curves.map(({ label, show, values }) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return `${label}: nothing yet`;
    return `${label}: from ${show(known[0]!)} to ${show(known.at(-1)!)}`;
  });
  return `${name}, windows ${windows[0] ?? 0} to ${windows.at(-1) ?? 0}. ${told.join(". ")}`;
}
