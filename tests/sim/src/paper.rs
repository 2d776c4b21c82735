//! What was to be printed, what came out of the printer, and what kioskd may therefore say.

use std::collections::BTreeMap;

use driver_api::printer::{Document, JobId, Line};

/// All receipts of a world.
#[derive(Default)]
pub struct Paper {
    /// By what stands on them, which is another for each: they are numbered.
    receipts: BTreeMap<String, Receipt>,
    /// What is printed as this job of the so many-th kioskd.
    jobs: BTreeMap<(u32, JobId), String>,
    orders: u64,
    /// The last order before the printer was told something else than was said, or lied.
    doubted_to: u64,
    /// Since then no later receipt came out as it was ordered: nobody can know what is printed.
    is_in_doubt: bool,
    /// The driver says that the last job is printed.
    is_told: bool,
    /// The last piece that was cut off.
    last: String,
}

#[derive(Default)]
struct Receipt {
    ordered: u32,
    out: u32,
    told: u32,
    /// Told, and nobody can know.
    excused: u32,
    last_order: u64,
}

impl Paper {
    /// kioskd gives a job to the printer.
    pub fn is_ordered(&mut self, boot: u32, job: JobId, document: &Document) {
        self.orders += 1;
        self.is_told = false;
        let text = solid(&text_of(document));
        let receipt = self.receipts.entry(text.clone()).or_default();
        receipt.ordered += 1;
        receipt.last_order = self.orders;
        self.jobs.insert((boot, job), text);
    }

    /// Something else reached the printer than was said to it, or it lies.
    pub fn is_misled(&mut self) {
        self.doubted_to = self.orders;
        self.is_in_doubt = true;
    }

    /// A device class has no paper: the job is printed.
    pub fn is_printed(&mut self, boot: u32, job: JobId) {
        if let Some(text) = self.jobs.get(&(boot, job)).cloned() {
            self.comes_out(&text);
        }
    }

    /// A piece of paper is cut off: a whole receipt, once; or the beginning of one that was given
    /// up; and nobody else's on top of it.
    pub fn comes_out(&mut self, text: &str) {
        let text = solid(text);
        self.last.clone_from(&text);
        if let Some(receipt) = self.receipts.get_mut(&text) {
            receipt.comes_out();
            self.is_in_doubt &= receipt.last_order <= self.doubted_to;
        } else if self.is_in_doubt {
            // What the cable made up may stand on top.
            let mut whole = self.receipts.iter_mut().filter(|(whole, _)| text.ends_with(*whole));
            whole.next().into_iter().for_each(|(_, receipt)| receipt.comes_out());
        } else {
            let mut longer = self.receipts.range(text.clone()..);
            let is_part = longer.next().is_some_and(|(whole, _)| whole.starts_with(&text));
            assert!(is_part, "S3: this comes out of the printer, and nobody ordered it: {text}");
        }
    }

    /// The driver says that a job is printed.
    pub fn is_told_printed(&mut self, boot: u32, job: JobId) {
        let text = self.jobs.get(&(boot, job));
        let receipt = text.and_then(|text| self.receipts.get_mut(text));
        let receipt = receipt.expect("S3: a job is printed that nobody ordered");
        receipt.told += 1;
        if receipt.told > receipt.out + receipt.excused {
            let is_excused = self.is_in_doubt || receipt.last_order <= self.doubted_to;
            let (told, last) = (self.jobs.get(&(boot, job)), &self.last);
            assert!(is_excused, "S3: said to be printed: {told:?}; what came out last: {last}");
            receipt.excused += 1;
        }
        self.is_told = true;
    }

    /// The books say that the receipt is printed.
    pub fn is_booked(&mut self) {
        let was_told = std::mem::take(&mut self.is_told);
        assert!(was_told, "S3: a receipt is booked as printed, and the printer did not say so");
    }

    /// How many receipts were printed, as kioskd knows.
    pub fn printed(&self) -> u32 {
        self.receipts.values().map(|receipt| receipt.told).sum()
    }
}

impl Receipt {
    fn comes_out(&mut self) {
        self.out += 1;
        assert!(self.out <= self.ordered, "S3: a receipt is printed twice");
    }
}

fn text_of(document: &Document) -> String {
    let mut text = String::new();
    for line in &document.lines {
        match line {
            Line::Title(line) | Line::Text(line) | Line::Strong(line) => text.push_str(line),
            Line::Pair(label, value) | Line::Total(label, value) => {
                text.push_str(label);
                text.push_str(value);
            }
            Line::Rule | Line::Gap => {}
            Line::Qr(content) => text.extend(["[QR:", content, "]"]),
            // With its text below.
            Line::Barcode(content) => text.extend(["[CODE128:", content, "]", content]),
        }
    }
    text
}

/// Without what layout adds: spaces, ends of lines, rules.
fn solid(text: &str) -> String {
    text.chars().filter(|it| !it.is_whitespace() && *it != '-').collect()
}
