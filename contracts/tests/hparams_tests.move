/// Hyperparameters: bytes, bounds, calendar.
#[test_only]
module vramhub::hparams_tests;

use std::unit_test::assert_eq;
use vramhub::hparams;
use vramhub::scenario;

const DEFAULT: vector<u8> =
    x"c027090000000000401f1c2570172823307500000000000060ea00000000000000010100ca9a3b00000000002d310100000000640004000800100000010f0028231c2500002003900000006400000000ca9a3b0000000000e40b5402000000809698000000000000e1f50500000000000120000c00000090000000003c534c10000000102700000000102700840c2400000000c02709000000000000c87e9a00000000";
const DEFAULT_DIGEST: vector<u8> =
    x"ad39c0011ea97066570a57f134312aaadb21e1340b0531610e7b8d7e242c3ee7";
const DRAWN: vector<u8> =
    x"204e000000000000401f1c2570172823c800000000000000d00700000000000001010100ca9a3b00000000002d310100000000640004000800100000010f0028231c2500002003900000006400000000ca9a3b0000000000e40b5402000000809698000000000000e1f50500000000000120000c00000090000000003c534c10000000102700000000102700840c2400000000c02709000000000000c87e9a00000000";
const DRAWN_DIGEST: vector<u8> =
    x"fbc3096563884d10e398b1822d97ae874faa3c47911df349cffb3b97920c765a";

fun changed(name: vector<u8>, value: u64): vector<u8> {
    scenario::patched(DEFAULT, vector[name], vector[value])
}

// === Bytes (tests/vectors/hparams.json) ===

#[test]
fun defaults_encode_and_hash_as_the_vectors_say() {
    let params = hparams::default_params();
    assert_eq!(params.encode(), DEFAULT);
    assert_eq!(params.digest(), DEFAULT_DIGEST);
}

#[test]
fun decode_is_the_inverse_of_encode() {
    let params = hparams::decode(DRAWN);
    assert_eq!(params.encode(), DRAWN);
    assert_eq!(params.digest(), DRAWN_DIGEST);
    assert_eq!(params.window_ms(), 20_000);
    assert_eq!(params.randomness_kind(), 1);
    assert_eq!(params.key_ttl_ms(), 2_592_000_000);
}

#[test]
fun getters_read_the_field_of_their_name() {
    let p = hparams::decode(DEFAULT);
    assert_eq!(p.commit_bps() as u64 + (p.reveal_bps() as u64), 17_500);
    assert_eq!(p.report_bps() as u64 + (p.outcome_bps() as u64), 15_000);
    assert_eq!(p.beacon_margin_ms() + p.min_judge_ms(), 90_000);
    assert_eq!(p.workload() as u64 + (p.version() as u64), 2);
    assert_eq!(p.beta() + p.max_update_norm(), 1_020_000_000);
    assert_eq!(p.topk_bps() as u64 + (p.own_pages() as u64), 104);
    assert_eq!(p.random_pages() as u64 + (p.heldout_pages() as u64), 24);
    assert_eq!(p.max_judged() as u64 + (p.top_g() as u64), 271);
    assert_eq!(p.overlap_bps() as u64 + (p.correlation_bps() as u64), 18_500);
    assert_eq!(p.max_gradient_bytes(), 52_428_800);
    assert_eq!(p.retention_windows() + p.checkpoint_frequency(), 244);
    assert_eq!(p.min_miner_stake() + p.min_validator_stake(), 11_000_000_000);
    assert_eq!(p.unrevealed_fee() + p.eviction_fee(), 110_000_000);
    assert_eq!(p.max_miners() as u64 + (p.max_validators() as u64), 288);
    assert_eq!(p.immunity_windows() + p.inactive_windows(), 156);
    assert_eq!(p.emission(), 70_000_000_000);
    assert_eq!(p.miner_bps() + p.validator_bps() + p.treasury_bps(), 10_000);
    assert_eq!(p.slash_bps(), 10_000);
    assert_eq!(p.unbonding_ms() + p.document_age_ms(), 605_400_000);
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_a_byte_less() {
    let mut bytes = DEFAULT;
    bytes.pop_back();
    hparams::decode(bytes);
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_a_trailing_byte() {
    let mut bytes = DEFAULT;
    bytes.push_back(0);
    hparams::decode(bytes);
}

#[test]
fun decode_takes_every_field_at_its_bounds() {
    let cases = vector[
        Case { name: b"randomness_kind", values: vector[0, 1] },
        Case { name: b"workload", values: vector[1, 1] },
        Case { name: b"version", values: vector[1, 1] },
        Case { name: b"beta", values: vector[1, 100_000_000_000] },
        Case { name: b"max_update_norm", values: vector[1, 1_000_000_000_000] },
        Case { name: b"topk_bps", values: vector[1, 10_000] },
        Case { name: b"own_pages", values: vector[1, 64] },
        Case { name: b"random_pages", values: vector[1, 64] },
        Case { name: b"heldout_pages", values: vector[1, 256] },
        Case { name: b"max_judged", values: vector[1, 256] },
        Case { name: b"top_g", values: vector[1, 256] },
        Case { name: b"overlap_bps", values: vector[1, 10_001] },
        Case { name: b"correlation_bps", values: vector[1, 10_000] },
        Case { name: b"max_gradient_bytes", values: vector[64, 268_435_456] },
        Case { name: b"retention_windows", values: vector[3, 100_000] },
        Case { name: b"checkpoint_frequency", values: vector[1, 100_000] },
        Case { name: b"min_miner_stake", values: vector[0, 9_007_199_254_740_991] },
        Case { name: b"min_validator_stake", values: vector[1, 9_007_199_254_740_991] },
        Case { name: b"unrevealed_fee", values: vector[0, 9_007_199_254_740_991] },
        Case { name: b"eviction_fee", values: vector[0, 9_007_199_254_740_991] },
        Case { name: b"max_miners", values: vector[1, 256] },
        Case { name: b"max_validators", values: vector[1, 32] },
        Case { name: b"immunity_windows", values: vector[0, 100_000] },
        Case { name: b"inactive_windows", values: vector[1, 1_000_000] },
        Case { name: b"emission", values: vector[0, 1_000_000_000_000_000] },
        Case { name: b"slash_bps", values: vector[0, 10_000] },
        Case { name: b"unbonding_ms", values: vector[0, 31_536_000_000] },
        Case { name: b"document_age_ms", values: vector[1_000, 86_400_000] },
        Case { name: b"key_ttl_ms", values: vector[1_000, 315_360_000_000] },
        Case { name: b"window_ms", values: vector[604_800_000] },
        Case { name: b"beacon_margin_ms", values: vector[0] },
        Case { name: b"min_judge_ms", values: vector[0] },
        Case { name: b"commit_bps", values: vector[1, 9_499] },
        Case { name: b"reveal_bps", values: vector[8_001, 10_000] },
        Case { name: b"report_bps", values: vector[8_999] },
        Case { name: b"outcome_bps", values: vector[6_001, 10_000] },
    ];
    cases.do!(|Case { name, values }| values.do!(|value| {
        let bytes = changed(name, value);
        assert_eq!(hparams::decode(bytes).encode(), bytes);
    }));
}

public struct Case has copy, drop { name: vector<u8>, values: vector<u64> }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_window_ms_of_199() { hparams::decode(changed(b"window_ms", 199)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_window_ms_of_604800001() { hparams::decode(changed(b"window_ms", 604_800_001)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_randomness_kind_of_2() { hparams::decode(changed(b"randomness_kind", 2)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_workload_of_2() { hparams::decode(changed(b"workload", 2)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_version_of_0() { hparams::decode(changed(b"version", 0)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_beta_of_0() { hparams::decode(changed(b"beta", 0)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_max_gradient_bytes_of_268435457() {
    hparams::decode(changed(b"max_gradient_bytes", 268_435_457));
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_retention_windows_of_2() { hparams::decode(changed(b"retention_windows", 2)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_min_validator_stake_of_0() {
    hparams::decode(changed(b"min_validator_stake", 0));
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_min_miner_stake_of_9007199254740992() {
    hparams::decode(changed(b"min_miner_stake", 9_007_199_254_740_992));
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_max_miners_of_257() { hparams::decode(changed(b"max_miners", 257)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_max_validators_of_33() { hparams::decode(changed(b"max_validators", 33)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_max_validators_of_0() { hparams::decode(changed(b"max_validators", 0)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_slash_bps_of_10001() { hparams::decode(changed(b"slash_bps", 10_001)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_unbonding_ms_of_31536000001() {
    hparams::decode(changed(b"unbonding_ms", 31_536_000_001));
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_key_ttl_ms_of_999() { hparams::decode(changed(b"key_ttl_ms", 999)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_commit_bps_of_9500() { hparams::decode(changed(b"commit_bps", 9_500)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_report_bps_of_9000() { hparams::decode(changed(b"report_bps", 9_000)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_treasury_bps_of_1() { hparams::decode(changed(b"treasury_bps", 1)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_miner_bps_of_9999() { hparams::decode(changed(b"miner_bps", 9_999)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_reveal_bps_of_10001() { hparams::decode(changed(b"reveal_bps", 10_001)); }

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun decode_refuses_min_judge_ms_of_360001() { hparams::decode(changed(b"min_judge_ms", 360_001)); }

#[test]
fun judging_may_take_all_the_time_there_is() {
    hparams::check_rules_for_testing(&hparams::decode(changed(b"min_judge_ms", 357_000)), 3_000);
    hparams::decode(changed(b"min_judge_ms", 360_000));
}

#[test, expected_failure(abort_code = vramhub::hparams::EInvalidValue)]
fun judging_may_not_take_a_millisecond_more() {
    hparams::check_rules_for_testing(&hparams::decode(changed(b"min_judge_ms", 357_001)), 3_000);
}

#[test]
fun share_is_exact_and_floored() {
    assert_eq!(hparams::share(333, 9_500), 316);
    assert_eq!(hparams::share(18_446_744_073_709_551_615, 10_000), 18_446_744_073_709_551_615);
    assert_eq!(hparams::share(9_999, 1), 0);
    assert_eq!(hparams::share(10_000, 1), 1);
}

// === Calendars (tests/vectors/windows.json) ===

fun expect_deadlines(epochs: &vector<hparams::Epoch>, window: u64, expected: vector<u64>) {
    let at = hparams::deadlines_in_for_testing(epochs, window, &hparams::default_params());
    let got = vector[at.start(), at.commit(), at.reveal(), at.end(), at.report(), at.outcome()];
    assert_eq!(got, expected);
}

#[test]
fun calendar_of_the_defaults_is_as_the_vectors_say() {
    let epochs = vector[hparams::new_epoch_for_testing(0, 0, 600_000)];
    assert_eq!(hparams::window_in_for_testing(&epochs, 0), 0);
    assert_eq!(hparams::window_in_for_testing(&epochs, 599_999), 0);
    assert_eq!(hparams::window_in_for_testing(&epochs, 600_000), 1);
    assert_eq!(hparams::window_in_for_testing(&epochs, 1_774_380_000_000), 2_957_300);
    assert_eq!(hparams::window_in_for_testing(&epochs, 1_774_380_599_999), 2_957_300);
    expect_deadlines(
        &epochs,
        0,
        vector[0, 480_000, 570_000, 600_000, 960_000, 1_140_000],
    );
    expect_deadlines(
        &epochs,
        1,
        vector[600_000, 1_080_000, 1_170_000, 1_200_000, 1_560_000, 1_740_000],
    );
    expect_deadlines(
        &epochs,
        2_957_300,
        vector[
            1_774_380_000_000,
            1_774_380_480_000,
            1_774_380_570_000,
            1_774_380_600_000,
            1_774_380_960_000,
            1_774_381_140_000,
        ],
    );
}

#[test]
fun calendar_of_changing_lengths_is_as_the_vectors_say() {
    let epochs = vector[
        hparams::new_epoch_for_testing(0, 0, 600_000),
        hparams::new_epoch_for_testing(5, 3_000_000, 60_000),
        hparams::new_epoch_for_testing(20, 3_900_000, 3_600_000),
    ];
    assert_eq!(hparams::window_in_for_testing(&epochs, 2_999_999), 4);
    assert_eq!(hparams::window_in_for_testing(&epochs, 3_000_000), 5);
    assert_eq!(hparams::window_in_for_testing(&epochs, 3_059_999), 5);
    assert_eq!(hparams::window_in_for_testing(&epochs, 3_060_000), 6);
    assert_eq!(hparams::window_in_for_testing(&epochs, 3_899_999), 19);
    assert_eq!(hparams::window_in_for_testing(&epochs, 3_900_000), 20);
    assert_eq!(hparams::window_in_for_testing(&epochs, 7_500_000), 21);
    expect_deadlines(
        &epochs,
        3,
        vector[1_800_000, 2_280_000, 2_370_000, 2_400_000, 2_760_000, 2_940_000],
    );
    expect_deadlines(
        &epochs,
        4,
        vector[2_400_000, 2_880_000, 2_970_000, 3_000_000, 3_036_000, 3_054_000],
    );
    expect_deadlines(
        &epochs,
        5,
        vector[3_000_000, 3_048_000, 3_057_000, 3_060_000, 3_096_000, 3_114_000],
    );
    expect_deadlines(
        &epochs,
        18,
        vector[3_780_000, 3_828_000, 3_837_000, 3_840_000, 3_876_000, 3_894_000],
    );
    expect_deadlines(
        &epochs,
        19,
        vector[3_840_000, 3_888_000, 3_897_000, 3_900_000, 6_060_000, 7_140_000],
    );
    expect_deadlines(
        &epochs,
        20,
        vector[3_900_000, 6_780_000, 7_320_000, 7_500_000, 9_660_000, 10_740_000],
    );
}

#[test]
fun calendar_of_odd_lengths_is_as_the_vectors_say() {
    let epochs = vector[hparams::new_epoch_for_testing(100, 1_000, 333)];
    assert_eq!(hparams::window_in_for_testing(&epochs, 1_000), 100);
    assert_eq!(hparams::window_in_for_testing(&epochs, 1_332), 100);
    assert_eq!(hparams::window_in_for_testing(&epochs, 1_333), 101);
    expect_deadlines(
        &epochs,
        100,
        vector[1_000, 1_266, 1_316, 1_333, 1_532, 1_632],
    );
    expect_deadlines(
        &epochs,
        101,
        vector[1_333, 1_599, 1_649, 1_666, 1_865, 1_965],
    );
}

#[test]
fun window_at_counts_from_the_epochs_start() {
    let mut n = scenario::founded(vector[]);
    let t0 = scenario::t0();
    assert_eq!(n.hp().window_at(t0), 0);
    assert_eq!(n.hp().window_at(t0 + 9_999), 0);
    assert_eq!(n.hp().window_at(t0 + 10_000), 1);
    assert_eq!(n.hp().window_start(7), t0 + 70_000);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::ENoEpoch)]
fun window_at_refuses_a_time_before_the_first_window() {
    let mut n = scenario::founded(vector[]);
    n.hp().window_at(scenario::t0() - 1);
    n.end();
}

#[test, expected_failure(abort_code = vramhub::hparams::ENotFounded)]
fun window_at_refuses_before_the_founding() {
    let mut n = scenario::begin();
    n.hp().window_at(scenario::t0());
    n.end();
}
