//! The comparison as a picture: every engine of every judged row, as a multiple of the best peer.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::goals::{Goal, ROWS, Row};
use crate::peers::{self, OURS};
use crate::record::Comparison;
use crate::report::judge::judge;

const ROW_HEIGHT: u32 = 24;
const WIDTH: u32 = 1100;
const LABELS: u32 = 330;
const LEGEND: u32 = 150;
/// What lies outside is drawn at the edge.
const LEAST: f64 = 0.02;
const MOST: f64 = 30.0;

/// Colours that are told apart by most eyes (Okabe and Ito); ours is the first.
const COLOURS: [RGBColor; 7] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(120, 120, 120),
];

struct Line {
    title: &'static str,
    /// Number of the engine, and how many times better than the best peer.
    points: Vec<(usize, f64)>,
    goal: Option<f64>,
}

fn line(comparison: &Comparison, engines: &[&str], row: &Row) -> Option<Line> {
    let best = judge(comparison, row).best?;
    let better = |value: f64| {
        let times = if row.unit.larger_is_better() { value / best.value } else { best.value / value };
        times.clamp(LEAST, MOST)
    };
    let point = |(nth, engine): (usize, &&str)| Some((nth, better(comparison.median(engine, row.id)?.value)));
    let points = engines.iter().enumerate().filter_map(point).collect();
    let goal = match row.goal {
        Goal::Times(times) => Some(times),
        Goal::AtMostTimes(times) => Some(1.0 / times),
        _ => None,
    };
    Some(Line { title: row.title, points, goal })
}

/// Draws the chart as SVG.
pub fn chart(comparison: &Comparison) -> Result<String> {
    let engines = comparison.engines();
    let judged = ROWS.iter().filter(|row| row.goal != Goal::Shown);
    let lines: Vec<Line> = judged.filter_map(|row| line(comparison, &engines, row)).collect();
    let mut text = String::new();
    draw(&mut text, &engines, &lines).map_err(|error| anyhow!("the chart cannot be drawn: {error}"))?;
    Ok(text)
}

fn draw(text: &mut String, engines: &[&str], lines: &[Line]) -> Result<(), Box<dyn std::error::Error>> {
    let height = ROW_HEIGHT * lines.len() as u32 + 130;
    let area = SVGBackend::with_string(text, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("times the best peer, to the right is better; a bar is the goal", ("sans-serif", 18))
        .margin(12)
        .margin_right(LEGEND)
        .x_label_area_size(34)
        .y_label_area_size(LABELS)
        .build_cartesian_2d((LEAST..MOST).log_scale(), 0.0..lines.len().max(1) as f64)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .y_labels(0)
        .light_line_style(WHITE)
        .x_label_formatter(&|times| format!("{times}"))
        .draw()?;
    let height_of = |nth: usize| (lines.len() - nth) as f64 - 0.5;
    chart.draw_series([PathElement::new(vec![(1.0, 0.0), (1.0, lines.len() as f64)], BLACK.mix(0.4))])?;
    for (nth, line) in lines.iter().enumerate() {
        let at = height_of(nth);
        let label = Text::new(line.title, (8 - LABELS as i32, -8), ("sans-serif", 14).into_font());
        chart.draw_series([EmptyElement::at((LEAST, at)) + label])?;
        if let Some(goal) = line.goal {
            let bar = vec![(goal, at - 0.38), (goal, at + 0.38)];
            chart.draw_series([PathElement::new(bar, COLOURS[0].stroke_width(2))])?;
        }
    }
    for (nth, engine) in engines.iter().enumerate() {
        let colour = COLOURS[nth % COLOURS.len()];
        let size = if *engine == OURS { 6 } else { 4 };
        let title = peers::named(engine).map_or(*engine, |peer| peer.about.title);
        let points = lines.iter().enumerate().flat_map(|(row, line)| {
            line.points
                .iter()
                .filter(move |(of, _)| *of == nth)
                .map(move |(_, times)| (*times, height_of(row)))
        });
        let points: Vec<_> = points.map(|point| Circle::new(point, size, colour.filled())).collect();
        chart.draw_series(points)?;
        let at = ((WIDTH - LEGEND) as i32 + 24, 60 + 22 * nth as i32);
        area.draw(&Circle::new(at, size, colour.filled()))?;
        area.draw(&Text::new(title, (at.0 + 12, at.1 - 7), ("sans-serif", 14)))?;
    }
    area.present()?;
    Ok(())
}
