//! A page of entries in the form that JavaScript takes apart.

use std::borrow::Cow;
use std::rc::Rc;

use lightning_db_bindings::{Error, ErrorKind, Page};

use crate::context::{Context, form, word};
use crate::env::Outcome;

/// Gives a page: count, form and ends in the shared words; all text of it as one string; what is not text in the slab
/// (where `slab` allows it) or as one `Buffer`. Returns the string, the `Buffer`, or both in an array.
///
/// `wanted` says whether keys and values are text. They are bytes all the same if some of them are not UTF-8: a string
/// of the whole page would join the pieces.
pub fn give(context: &Rc<Context>, page: &Page, wanted: u32, slab: bool) -> Outcome {
    let env = context.env;
    context.set_word(word::COUNT, page.len() as u32);
    if page.is_empty() {
        return Ok(env.nothing());
    }
    if word::ENDS + 2 * page.len() > word::TOTAL {
        return Err(Error::new(ErrorKind::Internal, "a page of too many entries").into());
    }
    let form = if is_utf8(page, wanted) { wanted } else { 0 };
    let [bytes, text] = runs(context, page, form);
    let text = text.map(|run| env.text(&run)).transpose()?;
    let place = bytes.as_ref().filter(|_| slab).and_then(|run| context.place(run));
    context.set_word(word::FORM, if place.is_some() { form | form::IN_SLAB } else { form });
    context.set_word(word::START, place.unwrap_or_default() as u32);
    let bytes = bytes.filter(|_| place.is_none()).map(|run| env.buffer(&run)).transpose()?;
    match (text, bytes) {
        (Some(text), Some(bytes)) => env.array(&[text, bytes]),
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (None, None) => Ok(env.nothing()),
    }
}

fn is_text(form: u32, part: usize) -> bool {
    form & [form::TEXT_KEYS, form::TEXT_VALUES][part] != 0
}

fn is_utf8(page: &Page, wanted: u32) -> bool {
    let entries = || (0..page.len()).filter_map(|index| page.entry(index));
    let is_fine = |part, bytes| !is_text(wanted, part) || std::str::from_utf8(bytes).is_ok();
    wanted == 0
        || page.bytes().is_ascii()
        || entries().all(|(key, value)| is_fine(0, key) && is_fine(1, value))
}

/// The bytes and the text of a page, and in the shared words where each part ends in its run: in bytes, or in units of
/// UTF-16.
fn runs<'a>(context: &Context, page: &'a Page, form: u32) -> [Option<Cow<'a, [u8]>>; 2] {
    let is_mixed = form == form::TEXT_KEYS || form == form::TEXT_VALUES;
    let is_ascii = page.bytes().is_ascii();
    let mut ends = [0, 0];
    let mut split = [Vec::new(), Vec::new()];
    for (index, (key, value)) in (0..page.len()).filter_map(|index| Some((index, page.entry(index)?))) {
        for (part, bytes) in [key, value].into_iter().enumerate() {
            let run = usize::from(is_text(form, part));
            ends[run] += if run == 0 || is_ascii { bytes.len() } else { utf16_len(bytes) };
            context.set_word(word::ENDS + 2 * index + part, ends[run] as u32);
            if is_mixed {
                split[run].extend_from_slice(bytes);
            }
        }
    }
    match (is_mixed, form) {
        (true, _) => split.map(|run| Some(Cow::Owned(run))),
        (false, 0) => [Some(Cow::Borrowed(page.bytes())), None],
        (false, _) => [None, Some(Cow::Borrowed(page.bytes()))],
    }
}

/// Units of UTF-16 of valid UTF-8: one for each character, two for those of four bytes.
fn utf16_len(bytes: &[u8]) -> usize {
    bytes.iter().map(|&byte| usize::from(byte & 0xc0 != 0x80) + usize::from(byte >= 0xf0)).sum()
}
