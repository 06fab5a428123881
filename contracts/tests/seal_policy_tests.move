#[test_only, allow(implicit_const_copy)]
module vramhub::seal_policy_tests;

use std::unit_test::assert_eq;
use vramhub::peers_scenario::{Self as peers, Peers};
use vramhub::scenario::{Self, miner, validator};
use vramhub::seal_policy;

const NEW: address = @0x51;

/// Miner 0 has published credentials of epoch 1, and window 0 is open.
fun sealed(): Peers {
    let mut p = peers::founded(1);
    p.seal(miner(0), 0, 1);
    p.roll();
    p
}

fun approve(p: &mut Peers, who: address, id: vector<u8>) {
    p.net().next(who);
    let (rs, hp, _, pr, _, clock, ctx) = p.parts();
    seal_policy::seal_approve_for_testing(id, rs, hp, pr, clock, ctx);
}

#[test]
fun an_identity_is_uid_and_epoch_little_endian() {
    assert_eq!(seal_policy::identity(258, 3), x"02010300000000000000");
}

#[test]
fun a_validator_of_the_running_window_reads() {
    let mut p = sealed();
    approve(&mut p, validator(0), x"00000100000000000000");
    approve(&mut p, validator(0), seal_policy::identity(0, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::EBadId)]
fun an_id_with_the_packages_prefix_is_refused() {
    let mut p = sealed();
    let mut id = @vramhub.to_bytes();
    id.append(seal_policy::identity(0, 1));
    approve(&mut p, validator(0), id);
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::EBadId)]
fun an_id_of_9_bytes_is_refused() {
    let mut p = sealed();
    approve(&mut p, validator(0), x"000001000000000000");
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::EBadId)]
fun an_id_of_11_bytes_is_refused() {
    let mut p = sealed();
    approve(&mut p, validator(0), x"0000010000000000000000");
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::EBadId)]
fun an_empty_id_is_refused() {
    let mut p = sealed();
    approve(&mut p, validator(0), x"");
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENoCredentials)]
fun another_epoch_is_refused() {
    let mut p = sealed();
    approve(&mut p, validator(0), seal_policy::identity(0, 2));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENoCredentials)]
fun a_replaced_epoch_is_refused() {
    let mut p = sealed();
    p.seal(miner(0), 0, 2);
    approve(&mut p, validator(0), seal_policy::identity(0, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENoCredentials)]
fun a_slot_that_nobody_has_is_refused() {
    let mut p = sealed();
    approve(&mut p, validator(0), seal_policy::identity(1, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENoCredentials)]
fun a_uid_beyond_all_slots_is_refused() {
    let mut p = sealed();
    approve(&mut p, validator(0), seal_policy::identity(256, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENoCredentials)]
fun credentials_of_whoever_left_are_refused() {
    let mut p = sealed();
    p.unregister(miner(0), 0);
    p.at(1, 0);
    p.roll();
    approve(&mut p, validator(0), seal_policy::identity(0, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENotValidator)]
fun a_stranger_is_refused() {
    let mut p = sealed();
    approve(&mut p, NEW, seal_policy::identity(0, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENotValidator)]
fun the_miner_itself_is_refused() {
    let mut p = sealed();
    approve(&mut p, miner(0), seal_policy::identity(0, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENotValidator)]
fun a_validator_of_the_next_window_is_refused() {
    let mut p = sealed();
    p.net().register_validator(NEW, 5_000, 0);
    approve(&mut p, NEW, seal_policy::identity(0, 1));
    p.end();
}

#[test]
fun a_validator_that_leaves_reads_until_the_window_ends() {
    let mut p = sealed();
    p.net().register_validator(NEW, 5_000, 0);
    p.at(1, 0);
    p.roll();
    p.net().unregister_validator(NEW, 1);
    approve(&mut p, NEW, seal_policy::identity(0, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENotValidator)]
fun a_validator_that_left_is_refused() {
    let mut p = sealed();
    p.net().register_validator(NEW, 5_000, 0);
    p.at(1, 0);
    p.net().unregister_validator(NEW, 1);
    p.at(2, 0);
    p.roll();
    approve(&mut p, NEW, seal_policy::identity(0, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENotRolled)]
fun the_last_windows_snapshot_is_not_enough() {
    let mut p = sealed();
    p.at(1, 0);
    approve(&mut p, validator(0), seal_policy::identity(0, 1));
    p.end();
}

#[test, expected_failure(abort_code = vramhub::seal_policy::ENotRolled)]
fun nobody_reads_before_the_founding() {
    let mut p = peers::begin(scenario::fast());
    p.register(miner(0), 1_000, 0);
    p.seal(miner(0), 0, 1);
    approve(&mut p, validator(0), seal_policy::identity(0, 1));
    p.end();
}
