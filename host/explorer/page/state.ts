/**
 * What stands still, at the top of every page.
 *
 * @module
 */
import { html, useEffect, useState, type VNode } from "./dom.ts";
import { useData } from "./data.ts";
import { useLive } from "./live.ts";
import type { Component, ComponentsAnswer, NetworkAnswer } from "./types.ts";

/** So long after it has passed a fault is still worth a word. */
const RECENT_MS = 60_000;
/** Without a sign of the server for so long, it is said. */
const UNHEARD_MS = 3_000;

/** See the module. */
export function State({ network }: { network: NetworkAnswer | null }): VNode {
  const { fault, isHeard } = useLive();
  const { data } = useData<ComponentsAnswer>("/components");
  const late = useLate(!isHeard, UNHEARD_MS);
  const notices = network?.notices ?? [];
  return html`<div role="status">
    ${
    late
      ? html`<p class="notice bad">The explorer is not heard: what stands here may be old.</p>`
      : null
  }
    ${fault === null ? null : html`<p class="notice bad">The ledger does not answer: ${fault}</p>`}
    ${data === null ? null : html`<${Components} answer=${data} />`}
    ${
    notices.filter(({ part }) => part !== "ledger").map(({ part, text }) =>
      html`<p class="notice"><b>${part}</b> ${text}</p>`
    )
  }
  </div>`;
}

/** Whether something has lasted for `ms`. */
function useLate(is: boolean, ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!is) return;
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [is]);
  return late;
}

/** Components that do not work, and those that did not until a moment ago. */
function Components({ answer }: { answer: ComponentsAnswer }): VNode {
  const [, again] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => again((count) => count + 1), RECENT_MS);
    return () => clearTimeout(timer);
  }, [answer]);
  const { components } = answer;
  const down = grouped(components.filter(({ ok }) => !ok));
  const past = components.filter(({ last, ok }) =>
    ok && last !== null && Date.now() - last.untilMs < RECENT_MS
  );
  return html`<div data-testid="components">
    ${
    down.map(([component, by]) =>
      html`
        <p
          class="notice bad"><b>${nameOf(component)}</b> does not work: ${component.fault!
            .reason}: ${component.fault!.detail} <span class="quiet">(says ${by.join(
              ", ",
            )})</span></p>
      `
    )
  }
    ${
    past.map((component) =>
      html`
        <p
          class="notice"><b>${nameOf(component)}</b> works again. It did not for ${Math.max(
            1,
            Math.round((component.last!.untilMs - component.last!.fromMs) / 1_000),
          )} s: ${component.last!.reason}: ${component.last!.detail}</p>
      `
    )
  }
  </div>`;
}

/** Several parties may tell of one component. */
function grouped(components: readonly Component[]): readonly (readonly [Component, string[]])[] {
  const found = new Map<string, readonly [Component, string[]]>();
  for (const component of components) {
    const key = JSON.stringify([nameOf(component), component.fault!.reason]);
    const known = found.get(key);
    if (known === undefined) found.set(key, [component, [component.by]]);
    else known[1].push(component.by);
  }
  return [...found.values()];
}

function nameOf({ component, uid }: Component): string {
  return uid === null ? component : `${component} ${uid}`;
}
