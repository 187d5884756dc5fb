//! Counts of many threads, sampling, and the text for Prometheus.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use crate::base::error::{Error, ErrorKind};
use crate::metrics::figures::Series;
use crate::metrics::slot::{self, OWN, SHARED};
use crate::metrics::{Counter, Figure, MemoryStats, Meters, Metrics, Timed};
use crate::sync::Arc;
use crate::vfs::MemoryVfs;

fn meters(vfs: &MemoryVfs) -> Meters {
    Meters::new(Arc::new(vfs.clone()), Path::new("/db"))
}

fn now(meters: &Meters) -> Metrics {
    meters.metrics(0, 0, MemoryStats::default())
}

/// More threads than have a number of their own, so that some share.
#[test]
fn counts_of_many_threads_are_exact() {
    const THREADS: usize = OWN + 2 * SHARED + 5;
    const EACH: u64 = 3000;
    let meters = Meters::default();
    let all_run = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                meters.add(Counter::Scans, 1);
                all_run.wait();
                for _ in 0..EACH {
                    meters.begin(Timed::Read).end(Counter::RowHits);
                    meters.add(Counter::ScanEntries, 7);
                }
            });
        }
    });
    let metrics = now(&meters);
    let total = THREADS as u64 * EACH;
    assert_eq!((metrics.scans, metrics.reads), (THREADS as u64, total));
    assert_eq!(metrics.scan_entries, 7 * total);
}

/// The numbers go round: threads that follow each other count on where the last one stopped.
#[test]
fn threads_that_come_and_go_lose_nothing() {
    let meters = Meters::default();
    let mut slots = HashSet::new();
    for _ in 0..4 * OWN {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                meters.add(Counter::Flushes, 1);
                slot::current()
            });
            slots.insert(thread.join().unwrap());
        });
    }
    assert_eq!(now(&meters).flushes, 4 * OWN as u64);
    assert!(slots.len() < 2 * OWN, "a number is not used again");
}

/// A destructor of a thread's own data may run after that of its number.
#[test]
fn a_thread_counts_to_its_very_end() {
    struct Last(Option<Arc<Meters>>);
    impl Drop for Last {
        fn drop(&mut self) {
            if let Some(meters) = &self.0 {
                (0..10).for_each(|_| meters.add(Counter::Flushes, 1));
            }
        }
    }
    thread_local!(static LAST: std::cell::RefCell<Last> = const { std::cell::RefCell::new(Last(None)) });
    let meters = Arc::new(Meters::default());
    let [early, late] = [true, false].map(|counts_first| {
        let meters = Arc::clone(&meters);
        std::thread::spawn(move || {
            if counts_first {
                meters.add(Counter::Flushes, 1);
            }
            LAST.with(|last| last.borrow_mut().0 = Some(Arc::clone(&meters)));
            meters.add(Counter::Flushes, 1);
        })
    });
    early.join().unwrap();
    late.join().unwrap();
    assert_eq!(now(&meters).flushes, 23);
}

#[test]
fn one_call_in_256_is_timed_and_the_first() {
    let vfs = MemoryVfs::default();
    let meters = meters(&vfs);
    let timed = |meters: &Meters| now(meters).latencies.map(|latencies| latencies.count());
    let call = |what| {
        let timer = meters.begin(what);
        vfs.advance(Duration::from_micros(100));
        timer.end(match what {
            Timed::Write => Counter::WritesQuorum,
            _ => Counter::RowMisses,
        });
    };
    call(Timed::Read);
    assert_eq!(timed(&meters), [1, 0, 0, 0]);
    (1..25_600).for_each(|_| call(Timed::Read));
    let [reads, ..] = timed(&meters);
    assert!((95..=105).contains(&reads), "{reads}");
    call(Timed::Write);
    assert_eq!(timed(&meters), [reads, 1, 0, 0]);
    meters.time(Timed::LogSync, || vfs.advance(Duration::from_millis(3)));
    let metrics = now(&meters);
    assert_eq!((metrics.avg_read_latency_us, metrics.avg_log_sync_latency_us), (100.0, 3000.0));
    assert!((98.0..102.0).contains(&metrics.p50_read_latency_us), "{}", metrics.p50_read_latency_us);
    assert!((2940.0..3060.0).contains(&metrics.p99_log_sync_latency_us));
}

/// A caller whose work comes in periods of a power of two has all its parts timed.
#[test]
fn no_period_hides_from_the_sampling() {
    let vfs = MemoryVfs::default();
    let meters = meters(&vfs);
    for call in 0..256 * 256u64 {
        let timer = meters.begin(Timed::Read);
        vfs.advance(Duration::from_micros(1 + call % 256 / 128));
        timer.end(Counter::RowHits);
    }
    let mean = now(&meters).avg_read_latency_us;
    assert!((1.4..1.6).contains(&mean), "{mean}");
}

#[test]
fn latencies_are_those_of_the_stretch_or_else_of_all_time() {
    let vfs = MemoryVfs::default();
    let meters = meters(&vfs);
    let sync = |time| meters.time(Timed::LogSync, || vfs.advance(time));
    sync(Duration::from_millis(1));
    vfs.advance(Duration::from_secs(20));
    assert_eq!(now(&meters).avg_log_sync_latency_us, 1000.0);
    sync(Duration::from_millis(5));
    vfs.advance(Duration::from_secs(20));
    assert_eq!(now(&meters).avg_log_sync_latency_us, 5000.0);
    vfs.advance(Duration::from_secs(20));
    assert_eq!(now(&meters).avg_log_sync_latency_us, 3000.0);
    let histogram = &now(&meters).latencies[Timed::LogSync as usize];
    assert_eq!((histogram.count(), histogram.seconds()), (2, 0.006));
}

/// A sample of the text format: name, labels, value.
type Sample = (String, Vec<(String, String)>, f64);

/// Reads the text by the grammar of the format's description; panics where it is not followed.
struct Reader {
    types: HashMap<String, String>,
    helped: HashSet<String>,
    samples: Vec<Sample>,
}

impl Reader {
    fn read(text: &str) -> Reader {
        assert!(text.ends_with('\n') && !text.contains('\r'));
        let mut reader = Reader { types: HashMap::new(), helped: HashSet::new(), samples: Vec::new() };
        let mut family = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect(line);
                assert!(is_name(name) && !help.is_empty() && reader.helped.insert(name.to_owned()), "{line}");
                let escapes = help.replace("\\\\", "").replace("\\n", "");
                assert!(!escapes.contains('\\'), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect(line);
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(reader.helped.contains(name), "a type without a help: {line}");
                assert!(reader.types.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
                family = name.to_owned();
            } else {
                let sample = sample(line);
                let kind = &reader.types[&family];
                let of_family = sample.0 == family
                    || kind == "histogram"
                        && ["_bucket", "_sum", "_count"]
                            .iter()
                            .any(|end| sample.0 == format!("{family}{end}"));
                assert!(of_family, "{line} under {family}");
                assert!(kind != "counter" || sample.0.ends_with("_total"), "{line}");
                let same = |other: &Sample| (&other.0, &other.1) == (&sample.0, &sample.1);
                assert!(!reader.samples.iter().any(same), "twice: {line}");
                reader.samples.push(sample);
            }
        }
        reader
    }

    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let wanted = |(own, own_labels, _): &&Sample| {
            own == name
                && labels
                    .iter()
                    .all(|(label, value)| own_labels.contains(&(label.to_string(), value.to_string())))
        };
        let found: Vec<_> = self.samples.iter().filter(wanted).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}");
        found[0].2
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).expect(line);
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels: Vec<(String, String)> = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, behind) = rest.split_once("=\"").expect(line);
            assert!(is_name(label) && !label.contains(':'), "{line}");
            assert!(!labels.iter().any(|(other, _)| other == label), "a label twice: {line}");
            let mut value = String::new();
            let mut chars = behind.char_indices();
            let end = loop {
                match chars.next().expect(line) {
                    (at, '"') => break at,
                    (_, '\\') => value.push(match chars.next().expect(line).1 {
                        'n' => '\n',
                        c @ ('\\' | '"') => c,
                        c => panic!("escape {c}: {line}"),
                    }),
                    (_, c) => value.push(c),
                }
            };
            labels.push((label.to_owned(), value));
            rest = &behind[end + 1..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').expect(line);
    }
    let value = rest.strip_prefix(' ').expect(line);
    assert!(value.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)), "{line}");
    (name.to_owned(), labels, value.parse().expect(line))
}

fn busy(vfs: &MemoryVfs) -> Metrics {
    let meters = meters(vfs);
    for (count, &counter) in (1000..).zip(Counter::ALL) {
        meters.add(counter, count);
    }
    for time in [1, 300, 70_000, 5_000_000, 60_000_000_000] {
        meters.time(Timed::LogSync, || vfs.advance(Duration::from_nanos(time)));
    }
    meters.background_error("flush", &Error::new(ErrorKind::NoSpace, "full"));
    meters.background_error("log", &Error::new(ErrorKind::NoSpace, "full"));
    now(&meters)
}

#[test]
fn the_text_follows_the_grammar_and_has_every_figure() {
    let metrics = busy(&MemoryVfs::default());
    let text = Reader::read(&metrics.prometheus());
    for (description, (name, figure)) in Metrics::TABLE.iter().zip(metrics.figures()) {
        let found = match description.series {
            Series::None => continue,
            Series::Gauge => text.value(&format!("lightning_db_{name}"), &[]),
            Series::Counter => text.value(&format!("lightning_db_{name}_total"), &[]),
            Series::Labelled(family, _, label, value) => {
                text.value(&format!("lightning_db_{family}_total"), &[(label, value)])
            }
        };
        let expected = match figure {
            Figure::Count(count) => count as f64,
            Figure::Number(number) => number,
        };
        assert_eq!(found, expected, "{name}");
    }
    for (name, _) in metrics.memory.figures() {
        text.value(&format!("lightning_db_{name}"), &[]);
    }
    assert_eq!(text.value("lightning_db_background_errors_total", &[("kind", "NoSpace")]), 2.0);
    assert_eq!(text.value("lightning_db_background_errors_total", &[("kind", "Io")]), 0.0);
}

#[test]
fn histograms_rise_to_their_count() {
    let text = Reader::read(&busy(&MemoryVfs::default()).prometheus());
    let name = "lightning_db_log_sync_latency_seconds";
    let bucket = format!("{name}_bucket");
    let buckets: Vec<(f64, f64)> = (text.samples.iter().filter(|(name, ..)| *name == bucket))
        .map(|(_, labels, count)| (labels[0].1.replace("+Inf", "inf").parse().unwrap(), *count))
        .collect();
    assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{buckets:?}");
    assert_eq!(buckets[0], (2.56e-7, 1.0));
    assert_eq!(buckets[1], (5.12e-7, 2.0));
    assert_eq!(buckets[buckets.len() - 2].1, 4.0);
    assert_eq!(buckets.last(), Some(&(f64::INFINITY, 5.0)));
    assert_eq!(text.value(&format!("{name}_count"), &[]), 5.0);
    assert!((text.value(&format!("{name}_sum"), &[]) - 60.005_070_301).abs() < 1e-9);
}

#[test]
fn labels_are_escaped_and_come_back() {
    let odd = "C:\\data\n\"x\" {},=ü";
    let metrics = busy(&MemoryVfs::default());
    let text = Reader::read(&metrics.prometheus_with(&[("database", odd), ("1-a", ""), ("level", "mine")]));
    for (name, labels, _) in &text.samples {
        assert_eq!(labels[0], ("database".to_owned(), odd.to_owned()), "{name}");
        assert_eq!(labels[1], ("_1_a".to_owned(), String::new()), "{name}");
    }
    text.value("lightning_db_writes_total", &[("level", "strong"), ("database", odd)]);
    text.value("lightning_db_scans_total", &[("level", "mine")]);
}
