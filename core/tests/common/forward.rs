//! For file systems and files of tests that change a few calls of another, and pass the rest on.

/// Methods of [`Vfs`](lightning_db::vfs::Vfs) that go to a field: all but `open`, and but `monotonic` and `spawn` unless
/// they are named.
macro_rules! forward_vfs {
    ($field:ident $(, $extra:ident)*) => {
        fn file_type(&self, path: &std::path::Path) -> std::io::Result<Option<lightning_db::vfs::FileType>> {
            self.$field.file_type(path)
        }
        fn list(&self, folder: &std::path::Path) -> std::io::Result<Vec<String>> {
            self.$field.list(folder)
        }
        fn rename(&self, from: &std::path::Path, to: &std::path::Path) -> std::io::Result<()> {
            self.$field.rename(from, to)
        }
        fn remove(&self, path: &std::path::Path) -> std::io::Result<()> {
            self.$field.remove(path)
        }
        fn create_dir(&self, path: &std::path::Path) -> std::io::Result<()> {
            self.$field.create_dir(path)
        }
        fn remove_dir(&self, path: &std::path::Path) -> std::io::Result<()> {
            self.$field.remove_dir(path)
        }
        fn sync_dir(&self, path: &std::path::Path) -> std::io::Result<()> {
            self.$field.sync_dir(path)
        }
        fn canonicalize(&self, path: &std::path::Path) -> std::io::Result<std::path::PathBuf> {
            self.$field.canonicalize(path)
        }
        fn lock(&self, path: &std::path::Path) -> std::io::Result<Box<dyn lightning_db::vfs::VfsLock>> {
            self.$field.lock(path)
        }
        fn now(&self) -> std::time::Duration {
            self.$field.now()
        }
        fn random(&self, buf: &mut [u8]) -> std::io::Result<()> {
            self.$field.random(buf)
        }
        fn sleep(&self, time: std::time::Duration) {
            self.$field.sleep(time);
        }
        $(forward_vfs!(@$extra $field);)*
    };
    (@monotonic $field:ident) => {
        fn monotonic(&self) -> std::time::Duration {
            self.$field.monotonic()
        }
    };
    (@spawn $field:ident) => {
        fn spawn(
            &self,
            name: &str,
            work: Box<dyn FnOnce() + Send>,
        ) -> std::io::Result<Box<dyn lightning_db::vfs::VfsThread>> {
            self.$field.spawn(name, work)
        }
    };
}

/// Methods of [`VfsFile`](lightning_db::vfs::VfsFile) that go to a field: `set_len`, `preallocate`, `sync_all`, and of the
/// others those that are named.
macro_rules! forward_file {
    ($field:ident $(, $extra:ident)*) => {
        fn set_len(&self, len: u64) -> std::io::Result<()> {
            self.$field.set_len(len)
        }
        fn preallocate(&self, len: u64) -> std::io::Result<()> {
            self.$field.preallocate(len)
        }
        fn sync_all(&self) -> std::io::Result<()> {
            self.$field.sync_all()
        }
        $(forward_file!(@$extra $field);)*
    };
    (@len $field:ident) => {
        fn len(&self) -> std::io::Result<u64> {
            self.$field.len()
        }
    };
    (@read_at $field:ident) => {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<()> {
            self.$field.read_at(buf, offset)
        }
    };
    (@write_at $field:ident) => {
        fn write_at(&self, buf: &[u8], offset: u64) -> std::io::Result<()> {
            self.$field.write_at(buf, offset)
        }
    };
    (@sync_data $field:ident) => {
        fn sync_data(&self) -> std::io::Result<()> {
            self.$field.sync_data()
        }
    };
}

#[allow(unused_imports, reason = "each test binary uses a part")]
pub(crate) use {forward_file, forward_vfs};
