//! Orders of keys that are functions of C.
#![allow(unsafe_code, reason = "keeps and calls functions of C")]

use std::cmp::Ordering;
use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

use lightning_db_bindings::{Comparator, Error, Opening, OptionValue, Result};

use crate::handles::{OPTIONS, lightning_db_options_t};
use crate::options::{Setting, Settings};
use crate::{arguments, call};

/// Orders two keys, with the `user` pointer that it was given: negative if `a` is in front of `b`, 0 if they are
/// equal, positive if it is behind. Keys that are equal to it are told apart by their bytes.
///
/// It must be a total preorder, the same for the life of the database. It is called from many threads at once, those
/// of the library too, also while `lightning_db_destroy` runs. It must not call this library, and neither an exception
/// nor `longjmp` may leave it.
pub type lightning_db_compare_t = Option<
    unsafe extern "C" fn(
        a: *const c_char,
        a_len: usize,
        b: *const c_char,
        b_len: usize,
        user: *mut c_void,
    ) -> c_int,
>;

/// Frees the `user` pointer of something that is not used any more. Called once, from whichever thread used it last;
/// NULL if there is nothing to be freed.
pub type lightning_db_free_user_t = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// An order, shared by all that use it.
#[derive(Clone)]
pub struct Order(Arc<Inner>);

struct Inner {
    name: String,
    compare: unsafe extern "C" fn(*const c_char, usize, *const c_char, usize, *mut c_void) -> c_int,
    user: *mut c_void,
    free_user: lightning_db_free_user_t,
}

// SAFETY: the header says that the function is called from many threads at once, and the user pointer freed by any.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(free_user) = self.free_user {
            // SAFETY: the caller's function for this pointer; nobody is left who uses it.
            unsafe { free_user(self.user) }
        }
    }
}

impl Comparator for Order {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let Inner { compare, user, .. } = &*self.0;
        // SAFETY: the caller's function, with lent bytes and its own pointer.
        unsafe { compare(a.as_ptr().cast(), a.len(), b.as_ptr().cast(), b.len(), *user) }.cmp(&0)
    }

    fn name(&self) -> &str {
        &self.0.name
    }
}

/// Gives an order to options. `free_user` is owed only if this succeeds.
unsafe fn give(
    options: *mut lightning_db_options_t,
    name: *const c_char,
    compare: lightning_db_compare_t,
    (user, free_user): (*mut c_void, lightning_db_free_user_t),
    put: impl FnOnce(&mut Settings, Order),
) -> Result<()> {
    // SAFETY: as the header says.
    let name = unsafe { arguments::text(name, "name of the comparator") }?;
    let compare = compare.ok_or_else(|| Error::invalid("the function of the comparator is NULL"))?;
    if name.is_empty() || name.len() > 255 {
        let len = name.len();
        return Err(Error::invalid(format!("name of a comparator of {len} bytes: 1 to 255 are allowed")));
    }
    if Opening::new().set("comparator", OptionValue::Text(name)).is_ok() {
        return Err(Error::invalid(format!("comparator {name:?} is the name of one of the engine's own")));
    }
    OPTIONS.with(options, |settings| {
        let name = name.to_owned();
        put(settings, Order(Arc::new(Inner { name, compare, user, free_user })));
        Ok(())
    })
}

/// Sets the order of keys of a database, or of a keyspace that is made with these options, to a function of yours.
/// The name is stored: a database is opened again with a comparator of the same name, else that is a Mismatch. It has
/// 1 to 255 bytes of UTF-8 and is none of the engine's own orders, which `lightning_db_options_set_text` sets.
///
/// `user` goes to `compare`, and to `free_user` when the options, and all databases that were opened with them, are
/// freed or have another comparator. If this fails, `free_user` is not called. Errors: InvalidArgument (name,
/// NULL), Closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_options_set_comparator(
    options: *mut lightning_db_options_t,
    name: *const c_char,
    compare: lightning_db_compare_t,
    user: *mut c_void,
    free_user: lightning_db_free_user_t,
) -> c_int {
    // Dropped behind the lock of the options: it calls back.
    let mut before = Vec::new();
    call::status(|| {
        let put = |settings: &mut Settings, order| {
            before = settings.set("comparator", Setting::Order(order));
        };
        // SAFETY: as the header says.
        unsafe { give(options, name, compare, (user, free_user), put) }
    })
}

/// Gives a comparator of yours to a database for those of its keyspaces that were made with one of this name; the
/// last one of a name counts. Every open needs those of all keyspaces, else it is a Mismatch. Else as
/// `lightning_db_options_set_comparator`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lightning_db_options_add_comparator(
    options: *mut lightning_db_options_t,
    name: *const c_char,
    compare: lightning_db_compare_t,
    user: *mut c_void,
    free_user: lightning_db_free_user_t,
) -> c_int {
    // Dropped behind the lock of the options: it calls back.
    let mut before = Vec::new();
    call::status(|| {
        let put = |settings: &mut Settings, order: Order| {
            before = settings.orders.extract_if(.., |known| known.name() == order.name()).collect();
            settings.orders.push(order);
        };
        // SAFETY: as the header says.
        unsafe { give(options, name, compare, (user, free_user), put) }
    })
}
