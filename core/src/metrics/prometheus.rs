//! Metrics as Prometheus reads them: the text exposition format, version 0.0.4.

use std::fmt::{self, Display, Write};

use crate::base::error::ErrorKind;
use crate::metrics::figures::{Description, Series};
use crate::metrics::histogram::{Distribution, Timed};
use crate::metrics::{Figure, MemoryStats, Metrics};

/// Bounds of the histograms' buckets: powers of two of a nanosecond, from 256 ns to 17 s.
const BUCKET_BITS: std::ops::RangeInclusive<u32> = 8..=34;

/// Names of the histograms, and their help.
const HISTOGRAMS: [(&str, &str); Timed::COUNT] = [
    ("read_latency_seconds", "Time of a read of one key; one in 256 is timed."),
    ("write_latency_seconds", "Time of a write call until it is acknowledged; one in 256 is timed."),
    (
        "log_write_latency_seconds",
        "Time in which the operating system took bytes for the log; one in 256 is timed.",
    ),
    ("log_sync_latency_seconds", "Time of a sync of the log."),
];

impl Metrics {
    /// All counters, the latencies since the database was opened, and the memory in use, in Prometheus' text
    /// format (`text/plain; version=0.0.4`). Rates, averages and quantiles are left out: Prometheus makes them itself, over the time that it is asked about.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// db.put(b"a", b"1")?;
    /// let text = db.get_metrics()?.prometheus();
    /// assert!(text.contains("\nlightning_db_writes_total{level=\"strong\"} 1\n"));
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn prometheus(&self) -> String {
        self.prometheus_with(&[])
    }

    /// As [`Metrics::prometheus`], with labels on every line, which tell apart what is counted for several databases.
    /// Names of labels are letters, digits and `_`, other characters become `_`; `level`, `row`, `kind` and `le` are in use.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let db = lightning_db::Database::create(folder.path(), Default::default())?;
    /// let text = db.get_metrics()?.prometheus_with(&[("database", "orders")]);
    /// assert!(text.contains("\nlightning_db_scans_total{database=\"orders\"} 0\n"));
    /// # Ok::<(), lightning_db::Error>(())
    /// ```
    pub fn prometheus_with(&self, labels: &[(&str, &str)]) -> String {
        let mut text = Text { out: String::with_capacity(16 << 10), labels, family: "" };
        for (description, (_, figure)) in Metrics::TABLE.iter().zip(self.figures()) {
            text.figure(description, figure);
        }
        text.head("background_errors_total", "counter", "Failures of work in the background, by kind.");
        for kind in ErrorKind::ALL {
            let found = self.background_errors_by_kind.iter().find(|(own, _)| own == kind);
            let count = found.map_or(0, |(_, count)| *count);
            text.sample("background_errors_total", &[("kind", kind.name())], count);
        }
        for ((name, help), latencies) in HISTOGRAMS.iter().zip(&self.latencies) {
            text.histogram(name, help, latencies);
        }
        for (description, (_, figure)) in MemoryStats::TABLE.iter().zip(self.memory.figures()) {
            text.figure(description, figure);
        }
        text.out
    }
}

struct Text<'a> {
    out: String,
    /// On every line.
    labels: &'a [(&'a str, &'a str)],
    /// The family of labelled counters that was begun last.
    family: &'static str,
}

impl Text<'_> {
    fn figure(&mut self, description: &Description, figure: Figure) {
        match description.series {
            Series::None => {}
            Series::Gauge => {
                self.head(description.name, "gauge", description.help);
                self.sample(description.name, &[], figure);
            }
            Series::Counter => {
                let name = format!("{}_total", description.name);
                self.head(&name, "counter", description.help);
                self.sample(&name, &[], figure);
            }
            Series::Labelled(family, help, label, value) => {
                let name = format!("{family}_total");
                if self.family != family {
                    self.family = family;
                    self.head(&name, "counter", help);
                }
                self.sample(&name, &[(label, value)], figure);
            }
        }
    }

    fn histogram(&mut self, name: &str, help: &str, latencies: &Distribution) {
        self.head(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for bits in BUCKET_BITS {
            let seconds = (1u64 << bits) as f64 / 1e9;
            self.sample(&bucket, &[("le", &seconds.to_string())], latencies.within(bits));
        }
        let count = latencies.count();
        self.sample(&bucket, &[("le", "+Inf")], count);
        self.sample(&format!("{name}_sum"), &[], latencies.seconds());
        self.sample(&format!("{name}_count"), &[], count);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let help = Escaped { text: help.trim(), quotes: false };
        self.write(format_args!("# HELP lightning_db_{name} {help}\n# TYPE lightning_db_{name} {kind}\n"));
    }

    fn sample(&mut self, name: &str, own: &[(&str, &str)], value: impl Display) {
        self.write(format_args!("lightning_db_{name}"));
        let mut before = '{';
        let labels = self.labels;
        for (label, value) in
            labels.iter().filter(|(label, _)| own.iter().all(|(ours, _)| ours != label)).chain(own)
        {
            let value = Escaped { text: value, quotes: true };
            let label = LabelName(label);
            self.write(format_args!("{before}{label}=\"{value}\""));
            before = ',';
        }
        let end = if before == '{' { "" } else { "}" };
        self.write(format_args!("{end} {value}\n"));
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        // A string takes whatever comes.
        let _ = self.out.write_fmt(text);
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Count(count) => count.fmt(f),
            Figure::Number(number) => number.fmt(f),
        }
    }
}

/// A help text, or the value of a label.
struct Escaped<'a> {
    text: &'a str,
    quotes: bool,
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.text.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' if self.quotes => f.write_str("\\\"")?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A caller's name of a label, made to fit.
struct LabelName<'a>(&'a str);

impl Display for LabelName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            f.write_char('_')?;
        }
        self.0.chars().try_for_each(|c| f.write_char(if c.is_ascii_alphanumeric() { c } else { '_' }))
    }
}
