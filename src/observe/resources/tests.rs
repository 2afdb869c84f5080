//! The table's rules, by the clock of the test.

use super::*;

fn table(max_series: usize) -> Inner {
    let table = ResourceTable::new(max_series, Duration::from_secs(60));
    table.inner.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn fail(table: &mut Inner, resource: &str, now: SystemTime) {
    let labels = Labels { vendor: "v".into(), service: "s".into(), resource_type: "t".into() };
    table.count(labels, std::iter::once((resource.into(), Category::Conflict)), now);
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
}

fn check(snapshot: &ResourceSnapshot) {
    for (vendor, totals) in &snapshot.vendors {
        let rows: u64 = snapshot.rows.iter().filter(|r| r.labels.vendor == *vendor).map(|r| r.failures).sum();
        assert_eq!(totals.counted, rows + totals.evicted + totals.held, "{vendor}");
    }
}

#[test]
fn a_new_row_is_zero_for_two_scrapes_of_each_scraper() {
    let mut table = table(10);
    fail(&mut table, "a", at(0));
    let mut shown = |who: &str| {
        let snapshot = table.scrape(who, at(1));
        check(&snapshot);
        snapshot.rows[0].failures
    };
    assert_eq!([shown("p"), shown("p"), shown("q"), shown("p"), shown("q"), shown("q")], [0, 0, 0, 1, 0, 1]);
}

#[test]
fn a_full_table_counts_in_the_overflow_row_and_keeps_its_other_labels() {
    let mut table = table(1);
    for resource in ["a", "b", "c", "a"] {
        fail(&mut table, resource, at(0));
    }
    for _ in 0..2 {
        check(&table.scrape("p", at(1)));
    }
    let snapshot = table.scrape("p", at(1));
    check(&snapshot);
    let mut rows: Vec<_> = snapshot.rows.iter().map(|r| (&*r.resource, r.failures)).collect();
    rows.sort_unstable();
    assert_eq!(rows, [(OVERFLOW, 2), ("a", 2)]);
    assert!(snapshot.rows.iter().all(|r| r.labels.service == "s" && r.category == Category::Conflict));
}

#[test]
fn services_that_callers_make_up_leave_a_bounded_number_of_rows() {
    let mut table = table(1);
    fail(&mut table, "a", at(0));
    for n in 0..3 * MOST_OVERFLOW {
        let labels = Labels { vendor: "v".into(), service: format!("s{n}"), resource_type: "t".into() };
        table.count(labels, std::iter::once(("b".into(), Category::Conflict)), at(0));
    }
    assert!(table.groups.len() <= MOST_OVERFLOW + 2, "{}", table.groups.len());
    check(&table.scrape("p", at(1)));
}

#[test]
fn nobody_waits_for_a_table_that_is_taken_and_nothing_is_lost() {
    let table = ResourceTable::new(10, Duration::from_secs(60));
    let failing = |resource: &'static str, times: usize| {
        let labels = Labels { vendor: "v".into(), service: "s".into(), resource_type: "t".into() };
        table.add(
            labels,
            std::iter::repeat_n((resource.into(), Category::Conflict), times),
            SystemTime::now(),
        );
    };
    let taken = table.lock();
    failing("a", 2);
    failing("b", MOST_WAITING - 2);
    drop(taken);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| failing("a", 3)));
        }
        for _ in 0..100 {
            check(&table.scrape("p"));
        }
    });
    let snapshot = table.scrape("p");
    check(&snapshot);
    let rows: Vec<_> = snapshot.rows.iter().map(|row| row.failures).collect();
    assert_eq!(rows.iter().sum::<u64>(), 6002 + MOST_WAITING as u64 - 2, "{rows:?}");
}

#[test]
fn a_quiet_row_goes_only_after_its_last_value_was_shown_twice() {
    let mut table = table(1);
    fail(&mut table, "a", at(0));
    for scrape in 0..3 {
        assert_eq!(table.scrape("p", at(100 + scrape)).series, 1, "shown once only, or still zero");
    }
    assert_eq!(table.scrape("p", at(110)).series, 1);
    let snapshot = table.scrape("p", at(111));
    check(&snapshot);
    assert_eq!((snapshot.series, snapshot.vendors[0].1.evicted), (0, 1));
}

#[test]
fn the_one_that_waits_most_gets_the_free_row() {
    let mut table = table(1);
    fail(&mut table, "a", at(0));
    for _ in 0..5 {
        fail(&mut table, "hot", at(1));
    }
    fail(&mut table, "cold", at(50));
    fail(&mut table, "hot", at(50));
    for scrape in 0..6 {
        table.scrape("p", at(70 + scrape));
    }
    fail(&mut table, "cold", at(80));
    fail(&mut table, "hot", at(80));
    let snapshot = table.scrape("p", at(81));
    check(&snapshot);
    assert!(snapshot.rows.iter().any(|row| &*row.resource == "hot"));
    assert!(!snapshot.rows.iter().any(|row| &*row.resource == "cold"));
}

#[test]
fn who_waited_long_ago_keeps_no_row_from_who_fails_now() {
    let mut table = table(1);
    fail(&mut table, "a", at(0));
    for n in 0..50 {
        fail(&mut table, &format!("old-{n}"), at(1));
    }
    for scrape in 0..6 {
        table.scrape("p", at(100 + scrape));
    }
    fail(&mut table, "late", at(200));
    assert!(table.scrape("p", at(201)).rows.iter().any(|row| &*row.resource == "late"));
}
