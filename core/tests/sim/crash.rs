//! Every call of the script is the last one: each disk that the crash may leave is recovered.

use lightning_db::vfs::MemoryVfs;

use crate::recover::{first_seed, images, keeps, recover, scale};
use crate::run::{Excuse, Run};
use crate::script::everything;
use crate::tally::Tally;

#[test]
fn a_crash_at_every_call_leaves_a_prefix_with_all_that_was_acknowledged() {
    let disk = MemoryVfs::with_seed(first_seed());
    let images = images(&disk, &mut Run::new(disk.clone(), Excuse::None), &everything());
    let mut tally = Tally::default();
    for image in &images {
        for keep in keeps(image.call + first_seed(), scale()) {
            tally.add(recover(image, keep), || format!("crash before call {}, {keep:?}", image.call));
        }
        if tally.is_full() {
            break;
        }
    }
    tally.tell(&format!("disks of crashes at {} calls", images.len() - 1), 2_000);
}
