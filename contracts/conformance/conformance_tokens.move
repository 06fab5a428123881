/// Calls of traces: the token generation event and what it locks, burning, pools.
#[test_only]
module vramhub::conformance_tokens;

use vramhub::conformance_tape::Tape;
use vramhub::conformance_world::{World, person};
use vramhub::staking_pool;
use vramhub::vram_token;

public fun burn(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, amount) = (t.u(), t.u());
    let coin = w.pay_vram(i, amount);
    w.turn(i);
    let (_, _, _, treasury, _, _) = w.lower();
    vram_token::burn(treasury, coin);
    vector[]
}

fun shares(t: &mut Tape): (vector<address>, vector<u64>) {
    let (mut who, mut amounts) = (vector[], vector[]);
    t.u().do!(|_| {
        who.push_back(person(t.u()));
        amounts.push_back(t.u());
    });
    (who, amounts)
}

public fun generate(w: &mut World, t: &mut Tape): vector<u64> {
    w.turn(0);
    let beneficiary = person(t.u());
    let (investors, investor_amounts) = shares(t);
    let (cliff, duration) = (t.u(), t.u());
    let (team, team_amounts) = shares(t);
    let (liquidity, root, leaves, deadline) = (person(t.u()), t.b(), t.u(), t.u());
    let (cap, _, _, _, _, _, _, treasury, _, clock, ctx) = w.governed();
    vram_token::tge(
        cap,
        treasury,
        beneficiary,
        investors,
        investor_amounts,
        cliff,
        duration,
        team,
        team_amounts,
        liquidity,
        root,
        leaves,
        deadline,
        clock,
        ctx,
    );
    w.find_generated();
    vector[]
}

public fun claim_vested(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, k) = (t.u(), t.u());
    w.turn(i);
    let (vestings, clock, ctx) = w.vestings();
    let coin = vestings[k].claim_vested(clock, ctx);
    vector[w.keep_vram(i, coin)]
}

public fun offer_vesting(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, k, to) = (t.u(), t.u(), t.u());
    w.turn(i);
    let to = if (to == 0) option::none() else option::some(person(to - 1));
    let (vestings, _, ctx) = w.vestings();
    vestings[k].offer_beneficiary(to, ctx);
    vector[]
}

public fun accept_vesting(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, k) = (t.u(), t.u());
    w.turn(i);
    let (vestings, _, ctx) = w.vestings();
    vestings[k].accept_beneficiary(ctx);
    vector[]
}

public fun claim_airdrop(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, index, amount) = (t.u(), t.u(), t.u());
    let proof = vector::tabulate!(t.u(), |_| t.b());
    w.turn(i);
    let (airdrop, _, clock, ctx) = w.airdrops();
    let coin = airdrop[0].claim_airdrop(index, amount, proof, clock, ctx);
    vector[w.keep_vram(i, coin)]
}

public fun sweep_airdrop(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, k) = (t.u(), t.u());
    w.turn(i);
    let (airdrop, vestings, clock, ctx) = w.airdrops();
    airdrop[0].sweep_airdrop(&vestings[k], clock, ctx);
    vector[]
}

// === Pools ===

public fun create_pool(w: &mut World): vector<u64> {
    w.turn(0);
    let (cap, _, _, _, _, _, _, _, _, clock, ctx) = w.governed();
    staking_pool::create_pool<vram_token::VRAM_TOKEN>(cap, clock, ctx);
    w.find_pool();
    vector[]
}

public fun deposit(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, k, amount) = (t.u(), t.u(), t.u());
    let coin = w.pay_vram(i, amount);
    w.turn(i);
    let (pools, _, clock, _) = w.pools();
    pools[k].deposit_rewards(coin, clock);
    vector[]
}

public fun stake(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, k, amount, tier) = (t.u(), t.u(), t.u(), t.u() as u8);
    let coin = w.pay_vram(i, amount);
    w.turn(i);
    let (pools, _, clock, ctx) = w.pools();
    pools[k].stake(coin, tier, clock, ctx);
    w.find_ticket(i);
    vector[]
}

public fun claim_rewards(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, n, k) = (t.u(), t.u(), t.u());
    w.turn(i);
    let (pools, tickets, clock, ctx) = w.pools();
    let coin = pools[k].claim_rewards(tickets[n].borrow_mut(), clock, ctx);
    vector[w.keep_vram(i, coin)]
}

public fun unstake(w: &mut World, t: &mut Tape): vector<u64> {
    let (i, n, k) = (t.u(), t.u(), t.u());
    w.turn(i);
    let (pools, tickets, clock, ctx) = w.pools();
    let coin = pools[k].unstake(tickets[n].extract(), clock, ctx);
    vector[w.keep_vram(i, coin)]
}
