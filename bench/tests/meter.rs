//! What the meter sees. One test: figures are those of the whole process, and others would be in them.

use std::thread;
use std::time::Duration;

use lightning_db_bench::meter::{Stopwatch, thread_time, wait_until_quiet, watch_memory};

fn spin(time: Duration) {
    let begin = thread_time();
    while thread_time() - begin < time {}
}

#[test]
fn the_meter_tells_the_background_from_the_measured_work() {
    let work = Duration::from_millis(60);
    let watch = Stopwatch::start();
    thread::scope(|scope| scope.spawn(|| spin(work)).join()).expect("no panic");
    let share = watch.background(Duration::ZERO);
    assert!(share > 0.0, "{share}");
    assert!(watch.background(work) < share);

    let watch = Stopwatch::start();
    spin(work);
    let seconds = watch.seconds();
    assert!(watch.background(Duration::ZERO) * seconds < 0.03);

    let worker = thread::spawn(|| spin(Duration::from_millis(150)));
    let quiet = wait_until_quiet();
    assert!(worker.is_finished() && quiet > Duration::ZERO);

    let (bytes, grown) = watch_memory(|| {
        let bytes = vec![1u8; 64 << 20];
        thread::sleep(Duration::from_millis(30));
        bytes
    });
    assert!(grown > 40 << 20, "{grown}");
    assert_eq!(bytes.len(), 64 << 20);
}
