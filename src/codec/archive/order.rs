//! Entries in an order that keeps all threads at work: what compresses well spread among what does not.
//!
//! Deflate runs on every core, encryption on one. Where all text comes first and all scans last, the other cores have
//! nothing to do beside the encryption of the scans.

use super::tree::Item;

/// Extensions of files that are compressed already, for the most part. What is stored and what deflated is decided by the
/// content; these only decide the order.
const DENSE: &[&str] = &[
    "7z", "avif", "bz2", "docx", "gif", "gz", "heic", "heif", "jp2", "jpeg", "jpg", "m4a", "mov", "mp3",
    "mp4", "odt", "pdf", "png", "pptx", "rar", "tif", "tiff", "webp", "xlsx", "xz", "zip", "zst",
];

/// Merges the files that are compressed already with the others, so that after each entry both sorts have come as far,
/// measured in bytes. Within each sort the order stays.
pub(in crate::codec) fn spread(items: Vec<Item>) -> Vec<Item> {
    let count = items.len();
    let (dense, light): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| is_dense(&item.name));
    let (all_dense, all_light) = (total(&dense), total(&light));
    let (mut dense, mut light) = (dense.into_iter().peekable(), light.into_iter().peekable());
    let (mut dense_so_far, mut light_so_far) = (0, 0);
    let mut spread = Vec::with_capacity(count);
    loop {
        // As fractions: light_so_far / all_light <= dense_so_far / all_dense.
        let is_light_due = light_so_far * all_dense <= dense_so_far * all_light;
        let (due, so_far) = match (light.peek().is_some(), dense.peek().is_some()) {
            (true, false) => (&mut light, &mut light_so_far),
            (true, true) if is_light_due => (&mut light, &mut light_so_far),
            _ => (&mut dense, &mut dense_so_far),
        };
        let Some(item) = due.next() else { return spread };
        *so_far += weight(&item);
        spread.push(item);
    }
}

fn total(items: &[Item]) -> u128 {
    items.iter().map(weight).sum()
}

/// The size, bounded so that no product of two sums overflows; sparse files claim sizes without measure.
fn weight(item: &Item) -> u128 {
    u128::from(item.size.min(1 << 40))
}

fn is_dense(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    DENSE.iter().any(|dense| extension.eq_ignore_ascii_case(dense))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn names(files: &[(&str, u64)]) -> Vec<String> {
        let items = files.iter().map(|(name, size)| Item {
            name: (*name).to_owned(),
            path: PathBuf::new(),
            is_directory: false,
            size: *size,
            identity: None,
        });
        spread(items.collect()).into_iter().map(|item| item.name).collect()
    }

    #[test]
    fn scans_and_texts_that_stand_apart_are_mixed_by_their_sizes() {
        let files = [("a.JPG", 4), ("b.jpg", 4), ("c.pdf", 4), ("d.pdf", 4), ("x.txt", 4), ("y.csv", 4)];
        assert_eq!(names(&files), ["x.txt", "a.JPG", "b.jpg", "y.csv", "c.pdf", "d.pdf"]);
    }

    #[test]
    fn a_large_scan_is_followed_by_as_much_text() {
        let files = [("a.jpg", 1), ("b.jpg", 9), ("x.txt", 5), ("y.txt", 5)];
        assert_eq!(names(&files), ["x.txt", "a.jpg", "b.jpg", "y.txt"]);
    }

    #[test]
    fn files_of_one_sort_keep_their_order() {
        assert_eq!(names(&[("a.txt", 1), ("b", 0), ("c.csv", u64::MAX)]), ["a.txt", "b", "c.csv"]);
        assert_eq!(names(&[("a.jpg", 0), ("b.jpg", 0)]), ["a.jpg", "b.jpg"]);
        assert!(names(&[]).is_empty());
    }

    #[test]
    fn nothing_is_lost_whatever_the_sizes() {
        let files = [("a.jpg", 0), ("b.txt", 0), ("c.jpg", u64::MAX), ("d.txt", u64::MAX), ("e.txt", 1)];
        let mut all = names(&files);
        all.sort();
        assert_eq!(all, ["a.jpg", "b.txt", "c.jpg", "d.txt", "e.txt"]);
    }
}
