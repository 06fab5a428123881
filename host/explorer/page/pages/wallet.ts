/**
 * What an address holds.
 *
 * @module
 */
import { useData } from "../data.ts";
import { html, type VNode } from "../dom.ts";
import { coins, moment } from "../format.ts";
import { Elsewhere, Facts, Hash, Heading, Show } from "../parts.ts";
import type { NetworkAnswer, WalletAnswer } from "../types.ts";

/** `/wallet/[address]`. */
export function WalletPage(
  { argument, network }: { argument: string; network: NetworkAnswer | null },
): VNode {
  const loaded = useData<WalletAnswer>(`/wallets/${argument}`);
  return html`
    <div>
      <${Heading}>Address<//>
        <p><${Hash} value=${argument} /> <${Elsewhere} network=${network} path=${`account/${argument}`} /></p>
        <${Show} of=${loaded}>${(data: WalletAnswer) => html`<${Shown} data=${data} />`}<//>
      </div>
  `;
}

function Shown({ data }: { data: WalletAnswer }): VNode {
  const { balance, isAdmin, jobs, miners, tickets, validators, vestings } = data;
  const slots = [
    ...miners.map(({ stake, uid }) =>
      html`<li><a href=${`/miners/${uid}`}>Miner ${uid}</a>, stake ${coins(stake, "SUI")}</li>`
    ),
    ...validators.map(({ stake, uid }) =>
      html`<li><a href=${`/validators#${uid}`}>Validator ${uid}</a>, stake ${
        coins(stake, "SUI")
      }</li>`
    ),
    ...(isAdmin ? [html`<li>Governs the network</li>`] : []),
  ];
  return html`<div>
    <${Facts} rows=${[
    ["SUI", coins(balance.sui, "SUI")],
    ["VRAM", coins(balance.vram, "VRAM")],
    ["To be claimed", coins(balance.claimable, "VRAM")],
  ]} />
    <h2>Slots</h2>
    ${slots.length === 0 ? html`<p class="quiet">None.</p>` : html`<ul>${slots}</ul>`}
    <h2>Locked</h2>
    ${
    tickets.length + vestings.length === 0 ? html`<p class="quiet">Nothing.</p>` : html`<ul>
      ${
      tickets.map(({ amount, earned, unlockMs }) =>
        html`<li>Staked ${coins(amount, "VRAM")} until ${moment(unlockMs)}, earned ${
          coins(earned, "VRAM")
        }</li>`
      )
    }
      ${
      vestings.map((row) =>
        html`<li>Vesting (${row.class}): ${coins(row.vested, "VRAM")} of ${
          coins(row.total, "VRAM")
        } unlocked</li>`
      )
    }</ul>`
  }
    <h2>Jobs</h2>
    ${
    jobs.length === 0
      ? html`<p class="quiet">None among the latest.</p>`
      : html`<ul>${
        jobs.map(({ id, payout, status }) =>
          html`<li>Job ${id}: ${status}, pays ${coins(payout, "SUI")}</li>`
        )
      }</ul>`
  }
  </div>`;
}
