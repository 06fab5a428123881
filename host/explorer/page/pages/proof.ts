/**
 * The proof of a window, verified in this browser.
 *
 * @module
 */
import type { ProofModule, WindowProof } from "../../proof_types.ts";
import { html, useState, type VNode } from "../dom.ts";
import type { Detail, NetworkAnswer } from "../types.ts";

const SCRIPT = "/proof.js";
/** A `pcrs.json` is at most so long. */
const MAX_PCRS_BYTES = 65_536;

/** The script that verifies; loaded when it is first asked for. */
export async function loadProof(): Promise<ProofModule> {
  return await import(SCRIPT);
}

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "busy" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "done"; readonly proof: WindowProof; readonly ownPcrs: boolean };

/** Verifies a window that ended. */
export function Proof(
  { detail, network }: { detail: Detail; network: NetworkAnswer | null },
): VNode {
  const [state, setState] = useState<State>({ kind: "idle" });
  const [pcrs, setPcrs] = useState<File | null>(null);
  if (detail.status !== "closed" && detail.status !== "skipped") {
    return html`
      <section>
        <h2>Proof</h2>
        <p class="sheet quiet">
            The window's receipt is written when it ends.</p>
      </section>
    `;
  }
  const simulated = network?.badge === "SIMULATED";
  const verify = async () => {
    setState({ kind: "busy" });
    try {
      setState({
        kind: "done",
        ownPcrs: pcrs !== null,
        proof: await verified(detail, network, simulated, pcrs),
      });
    } catch (error) {
      setState({ kind: "failed", why: error instanceof Error ? error.message : String(error) });
    }
  };
  return html`
    <section>
      <h2>Proof</h2>
      <div class="sheet">
        <p>This browser can check the window by itself: signatures, attestation documents, the pages
            that were drawn and their place in the data set, the settlement, the pay, and that this page
            shows nothing else. ${simulated
              ? html`<b class="warn">The judges' documents hang from a SIMULATED root, which proves no hardware.</b>`
              : null}</p>
        <div class="row">
          <button class="main" type="button" disabled=${state.kind === "busy" || network === null}
            onClick=${verify}>${simulated
              ? "Verify, accepting the SIMULATED root"
              : "Verify in this browser"}</button>
          <label>Your own pcrs.json (optional):${" "}
              <input type="file" accept="application/json,.json"
                onChange=${(event: Event) =>
                  setPcrs((event.target as HTMLInputElement).files?.[0] ?? null)} />
            </label>
        </div>
        <div role="status" data-testid="proof">
          <${Result} state=${state} />
        </div>
      </div>
    </section>
  `;
}

async function verified(
  detail: Detail,
  network: NetworkAnswer | null,
  acceptSimulated: boolean,
  pcrs: File | null,
): Promise<WindowProof> {
  if (pcrs !== null && pcrs.size > MAX_PCRS_BYTES) {
    throw new RangeError(`A pcrs.json has at most ${MAX_PCRS_BYTES} bytes`);
  }
  const [script, response] = await Promise.all([
    loadProof(),
    fetch(`/api/v1/windows/${detail.window}/receipt`),
  ]);
  if (response.status === 404) {
    throw new Error(
      "No receipt of this window is kept here: a validator writes it as the window ends",
    );
  }
  if (!response.ok) throw new Error(`The receipt cannot be read: status ${response.status}`);
  return await script.verifyWindow({
    receipt: new Uint8Array(await response.arrayBuffer()),
    shown: detail,
    ledgerId: network!.ledgerId,
    acceptSimulated,
    pcrs: pcrs === null ? null : new Uint8Array(await pcrs.arrayBuffer()),
  });
}

function Result({ state }: { state: State }): VNode | null {
  if (state.kind === "idle") return null;
  if (state.kind === "busy") return html`<p>Verifying …</p>`;
  if (state.kind === "failed") return html`<p class="bad"><b>Not verified.</b> ${state.why}</p>`;
  const { ownPcrs, proof } = state;
  const failed = proof.checks.filter(({ ok }) => !ok);
  const root = proof.simulated ? ", under a SIMULATED root" : "";
  return html`<div>
    ${
    failed.length === 0
      ? html`<p class="good"><b>Verified in this browser${root}: all ${proof.checks.length} checks hold.</b></p>`
      : html`<p class="bad"><b>Refused: ${failed.length} of ${proof.checks.length} checks do not hold.</b></p>`
  }
    <ul class="checks">${
    proof.checks.map(({ detail, name, ok }) =>
      html`<li><b class=${ok ? "good" : "bad"}>${ok ? "✓" : "✗"} ${name}</b> ${detail}</li>`
    )
  }</ul>
    <p class="quiet">Approved builds: ${
    ownPcrs ? "those of your pcrs.json" : "those that the receipt says its ledger approved"
  }. Not checked: ${proof.unchecked.join("; ")}.</p>
  </div>`;
}
