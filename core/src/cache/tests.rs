//! Pages and rows under one budget: who has the bytes, under which load.

use std::cell::Cell;

use super::rows::{Row, RowCache, Seen};
use super::*;
use crate::base::hash::hash_key;
use crate::cache::slots::Marked;
use crate::sync::Arc;

const BUDGET: usize = 4 << 20;
const PAGE: usize = 4200;
const ROWS_OF_PAGE: u64 = 36;
const VALUE: [u8; 110] = [7; 110];

/// A table of rows, of which so many lie in each page.
struct Table {
    pages: Arc<PageCache<Marked<()>>>,
    rows: Arc<RowCache>,
    random: u64,
    row_hits: Cell<u64>,
}

impl Table {
    fn new() -> Self {
        let (pages, rows) = (Arc::new(PageCache::new(BUDGET)), Arc::new(RowCache::new(BUDGET).unwrap()));
        pages.share_with(&rows);
        rows.turn_on(&*pages);
        Table { pages, rows, random: 1, row_hits: Cell::default() }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 33) % limit
    }

    /// A point read, as the engine does it.
    fn get(&self, number: u64) {
        // Neighbours in a page are not neighbours in the hash.
        let key = number.to_be_bytes();
        let row = Row { keyspace: 0, key: &key, sequence: 5 };
        match self.rows.get(row, |value| assert_eq!(value, VALUE)) {
            Seen::Hit(()) => self.row_hits.set(self.row_hits.get() + 1),
            Seen::Miss(_, ticket) => {
                let from_disk = self.page(number / ROWS_OF_PAGE);
                if let Some(ticket) = ticket {
                    self.rows.offer(ticket, row, &VALUE, from_disk, &*self.pages);
                }
            }
        }
        assert!(self.pages.usage() <= BUDGET);
    }

    /// Whether the page had to be read.
    fn page(&self, page: u64) -> bool {
        let missing = self.pages.get(1, page * 4096).is_none();
        if missing {
            self.pages.insert(1, page * 4096, Marked::new(()), PAGE, Priority::Normal);
        }
        missing
    }

    /// One row of each page is read, over and over; all their pages are ten times the budget.
    fn hot_rows(&mut self, looks: u64) {
        let hot = 10 * BUDGET as u64 / PAGE as u64;
        for _ in 0..looks {
            let row = self.below(hot) * ROWS_OF_PAGE;
            self.get(row);
        }
    }

    /// Scans of pages that all together fit, if they get almost all there is.
    fn scans(&self, rounds: u64) {
        let pages = BUDGET as u64 * 9 / 10 / PAGE as u64;
        for page in (0..rounds).flat_map(|_| 0..pages) {
            self.page(1_000_000 + page);
        }
    }

    fn hit_rate_of(&mut self, load: impl FnOnce(&mut Self)) -> f64 {
        let (rows_before, before) = (self.row_hits.get(), self.pages.figures());
        load(self);
        let after = self.pages.figures();
        let hits = (self.row_hits.get() + after.page_hits) - (rows_before + before.page_hits);
        hits as f64 / (hits + after.page_misses - before.page_misses) as f64
    }
}

#[test]
fn the_budget_moves_to_rows_and_back_and_again() {
    let mut table = Table::new();
    let mut report = Vec::new();
    for round in 0..2 {
        table.hot_rows(150_000);
        let rate = table.hit_rate_of(|table| table.hot_rows(20_000));
        let with_rows = table.pages.figures();
        report.push(format!("hot rows: {with_rows:?}, hits {rate:.3}"));
        assert!(with_rows.row_bytes > BUDGET / 2, "round {round}: {report:#?}");
        assert!(rate > 0.85, "round {round}: {report:#?}");

        table.scans(80);
        let rate = table.hit_rate_of(|table| table.scans(2));
        let with_pages = table.pages.figures();
        report.push(format!("scans:    {with_pages:?}, hits {rate:.3}"));
        assert!(with_pages.row_bytes < BUDGET / 8, "round {round}: {report:#?}");
        assert!(rate > 0.9, "round {round}: {report:#?}");
    }
    println!("{report:#?}");
}

/// All pages fit if the rows give way; a look for a row finds its page then, so rows earn little.
#[test]
fn uniform_reads_of_what_fits_go_to_the_pages() {
    let mut table = Table::new();
    table.hot_rows(150_000);
    assert!(table.pages.figures().row_bytes > BUDGET / 2);
    let rows = BUDGET as u64 * 8 / 10 / PAGE as u64 * ROWS_OF_PAGE;
    let uniform = |table: &mut Table, looks: u64| {
        for _ in 0..looks {
            let row = 1_000_000 * ROWS_OF_PAGE + table.below(rows);
            table.get(row);
        }
    };
    uniform(&mut table, 400_000);
    let rate = table.hit_rate_of(|table| uniform(table, 20_000));
    let figures = table.pages.figures();
    println!("{figures:?}, hits {rate:.3}");
    assert!(rate > 0.98 && figures.row_bytes < BUDGET / 4, "{rate} {figures:?}");
}

#[test]
fn scans_that_come_once_take_nothing_from_rows() {
    let mut table = Table::new();
    table.hot_rows(150_000);
    let before = table.pages.figures().row_bytes;
    (2_000_000..2_020_000).for_each(|page| assert!(table.page(page)));
    let figures = table.pages.figures();
    assert!(figures.row_bytes * 10 > before * 9, "{before} {figures:?}");
    let rate = table.hit_rate_of(|table| table.hot_rows(20_000));
    assert!(rate > 0.85, "{rate}");
}

#[test]
fn figures_add_up() {
    let mut table = Table::new();
    table.hot_rows(50_000);
    table.pages.insert(9, 0, Marked::new(()), PAGE, Priority::High);
    let figures = table.pages.figures();
    assert!(figures.inner_bytes > PAGE && figures.ghost_bytes > 0);
    let parts = figures.leaf_bytes + figures.inner_bytes + figures.row_bytes + figures.ghost_bytes;
    assert_eq!(parts, figures.bytes);
    assert_eq!(figures.page_hits + figures.page_misses, 50_000 - table.row_hits.get());
    assert!(table.pages.peek(9, 0).is_some());
    assert_eq!(table.pages.figures(), figures);
    table.pages.clear();
    table.rows.clear();
    let figures = table.pages.figures();
    assert_eq!(figures.bytes, figures.row_bytes);
    assert!(figures.row_bytes <= BUDGET / 64 + (32 << 10));
}

/// Rows take and give, pages come and go, all at once; a commit moves rows meanwhile.
#[test]
fn threads_never_pass_the_budget() {
    let table = Table::new();
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (pages, rows) = (Arc::clone(&table.pages), Arc::clone(&table.rows));
            let mut table = Table { pages, rows, random: thread, row_hits: Cell::default() };
            scope.spawn(move || {
                for round in 0..6 {
                    if (round + thread) % 3 == 0 {
                        table.scans(5);
                    } else {
                        table.hot_rows(10_000);
                    }
                    if thread == 0 {
                        table.pages.remove_file(1);
                    }
                }
            });
        }
        for number in 0..20_000u64 {
            let key = (number % 20_000 * ROWS_OF_PAGE).to_be_bytes();
            let hash = table.rows.prefetch(0, hash_key(&key));
            let row = Row { keyspace: 0, key: &key, sequence: 5 };
            let bucket =
                table.rows.change(hash, row, Some(&VALUE).filter(|_| number % 3 > 0).map(|value| &value[..]));
            bucket.into_iter().for_each(|bucket| table.rows.release(bucket));
        }
    });
    let figures = table.pages.figures();
    let parts = figures.leaf_bytes + figures.inner_bytes + figures.row_bytes + figures.ghost_bytes;
    assert_eq!(parts, figures.bytes);
    assert!(figures.row_bytes > 0);
}
