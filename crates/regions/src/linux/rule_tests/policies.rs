//! Where the older policies place what has no address.

use expect_test::expect;

use super::script::run_with;

#[test]
fn linux_2_6_continues_where_the_last_search_ended() {
    let script = "
        map top+4 rw
        map top+4 r
        map top+4 rx";
    expect![[r#"
          [top-491520, top-491516) the lowest gap above the base that is large enough
          [top-491520, top-491516) map: a new region
          [top-491516, top-491512) the search continues where the last one ended
          [top-491516, top-491512) map: a new region
          [top-491516, top-491512) not merged with the previous region: their access differs
          [top-491512, top-491508) the search continues where the last one ended
          [top-491512, top-491508) map: a new region
          [top-491512, top-491508) not merged with the previous region: their access differs
        [top-491520, top-491516) rw-p
        [top-491516, top-491512) r--p
        [top-491512, top-491508) r-xp
    "#]]
    .assert_eq(&run_with(script, "linux-2.6", true));
}

#[test]
fn bottom_up_takes_the_lowest_gap() {
    let script = "
        map top+4 rw
        map top+4 r";
    expect![[r#"
          [0x2aaaaaaab000, 0x2aaaaaaaf000) the lowest gap above the base that is large enough
          [0x2aaaaaaab000, 0x2aaaaaaaf000) map: a new region
          [0x2aaaaaaaf000, 0x2aaaaaab3000) the lowest gap above the base that is large enough
          [0x2aaaaaaaf000, 0x2aaaaaab3000) map: a new region
          [0x2aaaaaaaf000, 0x2aaaaaab3000) not merged with the previous region: their access differs
        [0x2aaaaaaab000, 0x2aaaaaaaf000) rw-p
        [0x2aaaaaaaf000, 0x2aaaaaab3000) r--p
    "#]]
    .assert_eq(&run_with(script, "linux-modern-legacy", true));
}
