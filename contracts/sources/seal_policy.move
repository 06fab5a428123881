/// Who may read what is sealed to this package: the validators of the running window may open the bucket credentials
/// that a miner published. Seal's key servers simulate `seal_approve` and give a key share where it does not abort.
/// Seal's full key id is `package id ‖ id`; the key servers add the package's part, so `id` here is the rest.
module vramhub::seal_policy;

use sui::bcs;
use sui::clock::Clock;
use vramhub::hparams::Hparams;
use vramhub::peer_registry::PeerRegistry;
use vramhub::round_state::RoundState;

/// An id is exactly uid u16 and epoch u64, little endian.
#[error(code = 1)]
const EBadId: vector<u8> = b"An id is uid u16, epoch u64";
/// The slot's owner has not published credentials of that epoch, or has replaced them.
#[error(code = 2)]
const ENoCredentials: vector<u8> = b"No credentials of this epoch";
/// The snapshot that decides is that of the running window: roll first.
#[error(code = 3)]
const ENotRolled: vector<u8> = b"Call roll first";
/// Only who judges this window may read.
#[error(code = 4)]
const ENotValidator: vector<u8> = b"Not a validator of this window";

const ID_BYTES: u64 = 10;

/// The id to which the owner of slot `uid` seals its credentials of `epoch`: 10 bytes, without the package's id.
public fun identity(uid: u16, epoch: u64): vector<u8> {
    let mut id = bcs::to_bytes(&uid);
    id.append(bcs::to_bytes(&epoch));
    id
}

/// Abort unless the sender may have the key of `id`. It changes nothing: key servers only simulate it.
entry fun seal_approve(
    id: vector<u8>,
    rs: &RoundState,
    hp: &Hparams,
    pr: &PeerRegistry,
    clock: &Clock,
    ctx: &TxContext,
) {
    assert!(id.length() == ID_BYTES, EBadId);
    let mut reader = bcs::new(id);
    let uid = reader.peel_u16();
    let epoch = reader.peel_u64();
    assert!(pr.credentials_epoch(uid).is_some_and!(|current| *current == epoch), ENoCredentials);
    assert!(hp.is_founded() && rs.is_rolled(hp, clock), ENotRolled);
    let sender = ctx.sender();
    let seats = rs.seats(hp.current_window(clock));
    assert!(seats.any!(|seat| seat.seat_owner() == sender), ENotValidator);
}

#[test_only]
public fun seal_approve_for_testing(
    id: vector<u8>,
    rs: &RoundState,
    hp: &Hparams,
    pr: &PeerRegistry,
    clock: &Clock,
    ctx: &TxContext,
) {
    seal_approve(id, rs, hp, pr, clock, ctx)
}
