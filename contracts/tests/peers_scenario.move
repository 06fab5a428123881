/// The network of `scenario` with the miners' registries: founding miners of 5,000 MIST each and one validator of
/// 10,000. Each call is a transaction of its own.
#[test_only]
module vramhub::peers_scenario;

use sui::balance;
use sui::bcs;
use sui::coin::{Self, Coin};
use sui::sui::SUI;
use sui::test_scenario;
use vramhub::gradient_registry::{Self, GradientRegistry};
use vramhub::hparams::Hparams;
use vramhub::peer_registry::{Self, PeerRegistry};
use vramhub::round_state::{Self, RoundState};
use vramhub::scenario::{Self, Network};
use vramhub::validator_registry::ValidatorRegistry;

const STAKE: u64 = 5_000;

public struct Peers {
    net: Network,
    pr: PeerRegistry,
    gr: GradientRegistry,
    hint: u64,
}

/// Objects before the founding, with these parameters (BCS) and one validator.
public fun begin(encoded: vector<u8>): Peers {
    let mut net = scenario::begin_with(encoded);
    net.register_validator(scenario::validator(0), 10_000, 0);
    peer_registry::init_for_testing(net.ctx());
    gradient_registry::init_for_testing(net.ctx());
    net.next(scenario::admin());
    let pr = net.ts().take_shared();
    let gr = net.ts().take_shared();
    Peers { net, pr, gr, hint: 0 }
}

/// A founded network of fast parameters at the start of window 0, with founding miners 0, 1, ….
public fun founded(miners: u64): Peers { founded_with(miners, scenario::fast()) }

/// The same with these changes of the fast parameters.
public fun with(miners: u64, names: vector<vector<u8>>, values: vector<u64>): Peers {
    founded_with(miners, scenario::fast_with(names, values))
}

/// The same with these parameters (BCS).
public fun founded_with(miners: u64, encoded: vector<u8>): Peers {
    let mut peers = begin(encoded);
    miners.do!(|i| { peers.register(scenario::miner(i), STAKE, 0); });
    peers.net.found();
    peers.net.next(scenario::admin());
    peers
}

/// Done: nothing is checked.
public fun end(peers: Peers) {
    let Peers { net, pr, gr, hint: _ } = peers;
    test_scenario::return_shared(pr);
    test_scenario::return_shared(gr);
    net.end();
}

public fun net(peers: &mut Peers): &mut Network { &mut peers.net }

public fun pr(peers: &mut Peers): &mut PeerRegistry { &mut peers.pr }

public fun gr(peers: &mut Peers): &mut GradientRegistry { &mut peers.gr }

public fun at(peers: &mut Peers, window: u64, offset_ms: u64) { peers.net.at(window, offset_ms) }

/// The objects of lower modules, the registries, the clock and the context.
public fun parts(
    peers: &mut Peers,
): (
    &mut RoundState,
    &mut Hparams,
    &mut ValidatorRegistry,
    &mut PeerRegistry,
    &mut GradientRegistry,
    &sui::clock::Clock,
    &mut TxContext,
) {
    let Peers { net, pr, gr, hint: _ } = peers;
    let (rs, hp, vr, _, clock, ctx) = net.parts();
    (rs, hp, vr, pr, gr, clock, ctx)
}

/// From here on calls change the sender only: a transaction of its own for each of thousands takes minutes.
public fun hurry(peers: &mut Peers) { peers.hint = 1 << 40; }

/// From here on each call is a transaction of its own again.
public fun rest(peers: &mut Peers) {
    peers.hint = 0;
    peers.net.next(scenario::admin());
}

/// The next direct call is by `who`.
public fun sender(peers: &mut Peers, who: address) { peers.turn(who) }

fun turn(peers: &mut Peers, who: address) {
    if (peers.hint == 0) return peers.net.next(who);
    peers.hint = peers.hint + 1;
    tx_context::new_from_hint(who, peers.hint, 0, 0, 0);
}

// === Calls of peer_registry ===

public fun register(peers: &mut Peers, who: address, stake: u64, fee: u64): u16 {
    peers.turn(who);
    let (rs, hp, vr, pr, _, clock, ctx) = peers.parts();
    let stake = coin::mint_for_testing<SUI>(stake, ctx);
    let fee = coin::mint_for_testing<SUI>(fee, ctx);
    peer_registry::register(rs, hp, vr, pr, stake, fee, clock, ctx)
}

public fun unregister(peers: &mut Peers, who: address, uid: u16) {
    peers.turn(who);
    let (rs, hp, vr, pr, _, clock, ctx) = peers.parts();
    peer_registry::unregister(rs, hp, vr, pr, uid, clock, ctx);
}

public fun withdraw(peers: &mut Peers, who: address): u64 {
    peers.turn(who);
    let (rs, hp, vr, pr, _, clock, ctx) = peers.parts();
    peer_registry::withdraw(rs, hp, vr, pr, clock, ctx).burn_for_testing()
}

public fun top_up(peers: &mut Peers, who: address, uid: u16, amount: u64) {
    peers.turn(who);
    let (rs, hp, vr, pr, _, clock, ctx) = peers.parts();
    let stake = coin::mint_for_testing<SUI>(amount, ctx);
    peer_registry::top_up_stake(rs, hp, vr, pr, uid, stake, clock, ctx);
}

public fun roll(peers: &mut Peers) {
    peers.turn(scenario::admin());
    let (rs, hp, vr, pr, _, clock, _) = peers.parts();
    peer_registry::roll(rs, hp, vr, pr, clock);
}

fun bytes(length: u64): vector<u8> { vector::tabulate!(length, |_| 7) }

/// Credentials of plain lengths: bucket, account and sealed bytes, and `servers` key servers.
public fun set_credentials(
    peers: &mut Peers,
    who: address,
    uid: u16,
    epoch: u64,
    lengths: vector<u64>,
    servers: u64,
    threshold: u8,
) {
    peers.turn(who);
    let (bucket, account, sealed) = (bytes(lengths[0]), bytes(lengths[1]), bytes(lengths[2]));
    let servers = vector::tabulate!(servers, |i| {
        object::id_from_address(sui::address::from_u256(i as u256))
    });
    let ctx = peers.net.ctx();
    peers.pr.set_credentials(uid, epoch, bucket, account, sealed, servers, threshold, ctx);
}

/// Good credentials.
public fun seal(peers: &mut Peers, who: address, uid: u16, epoch: u64) {
    peers.set_credentials(who, uid, epoch, vector[9, 9, 100], 3, 2);
}

/// Seat `count` miners of 5,000 MIST from uid 0 on, without windows between.
public fun seat(peers: &mut Peers, count: u64) {
    count.do!(|i| {
        let stake = balance::create_for_testing(STAKE);
        peers.pr.seat_for_testing(i as u16, scenario::miner(i), stake, 0);
    });
}

/// MIST of the coin that the last transaction sent to `who`.
public fun change(peers: &mut Peers, who: address): u64 {
    peers.net.next(who);
    let coin: Coin<SUI> = peers.net.ts().take_from_sender();
    coin.burn_for_testing()
}

// === Calls of gradient_registry ===

/// Content hash of the gradient of `uid` in `window`.
public fun content(uid: u16, window: u64): vector<u8> {
    let mut bytes = bcs::to_bytes(&uid);
    bytes.append(bcs::to_bytes(&window));
    scenario::hash(bytes)
}

public fun salt(): vector<u8> { scenario::hash(b"salt") }

public fun commitment(peers: &mut Peers, uid: u16, window: u64): vector<u8> {
    let ledger = round_state::ledger_id(peers.net.rs());
    gradient_registry::commitment_of(ledger, uid, window, content(uid, window), salt())
}

/// Miner `uid` commits as founding miner `uid`.
public fun commit(peers: &mut Peers, uid: u16, window: u64): u64 {
    peers.commit_by(scenario::miner(uid as u64), uid, window)
}

public fun commit_by(peers: &mut Peers, who: address, uid: u16, window: u64): u64 {
    let commitment = peers.commitment(uid, window);
    peers.commit_raw(who, uid, window, commitment)
}

public fun commit_raw(
    peers: &mut Peers,
    who: address,
    uid: u16,
    window: u64,
    commitment: vector<u8>,
): u64 {
    peers.turn(who);
    let (rs, hp, vr, pr, gr, clock, ctx) = peers.parts();
    gradient_registry::commit(rs, hp, vr, pr, gr, uid, window, commitment, clock, ctx)
}

/// Miner `uid` reveals as founding miner `uid`: 1,000 bytes of codec 1.
public fun reveal(peers: &mut Peers, uid: u16, window: u64) {
    peers.reveal_by(scenario::miner(uid as u64), uid, window);
}

public fun reveal_by(peers: &mut Peers, who: address, uid: u16, window: u64) {
    peers.reveal_raw(who, uid, window, content(uid, window), 1_000, 1, salt(), b"gradient-v1.pt");
}

public fun reveal_raw(
    peers: &mut Peers,
    who: address,
    uid: u16,
    window: u64,
    content_hash: vector<u8>,
    size: u32,
    codec: u8,
    salt: vector<u8>,
    storage_ref: vector<u8>,
) {
    peers.turn(who);
    let (rs, hp, vr, pr, gr, clock, ctx) = peers.parts();
    gradient_registry::reveal(
        rs,
        hp,
        vr,
        pr,
        gr,
        uid,
        window,
        content_hash,
        size,
        codec,
        salt,
        storage_ref,
        clock,
        ctx,
    );
}
