//! XLSX: a sheet of typed cells, and one that says what was asked. Texts are cells of the type text, which no spreadsheet runs, so
//! that they stay as they are.
//!
//! Rows go to a scratch file as they come; when the last one is there, the workbook is put together in another one, which leaves
//! piece by piece. So memory stays constant, and the first byte comes after the last row.

use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom};

use arrow::array::RecordBatch;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as CellFormat, FormatAlign, Workbook, Worksheet, XlsxError};

use super::cell::{Cell, Cells};
use super::{Disposition, Document, EncodeError, Encoder, Ending, Format, notes, number};
use crate::report::{Column, ColumnType, Family};
use crate::time::{DAY, Granularity, Micros};

/// How many rows a sheet has below its header.
const SHEET_ROWS: u32 = 1_048_575;
/// How long a text in a cell may be.
const CELL_CHARS: usize = 32_767;
/// How much of the finished workbook leaves at once.
const PIECE: usize = 256 * 1024;

/// A workbook.
#[derive(Debug)]
pub(super) struct Xlsx;

impl Format for Xlsx {
    fn name(&self) -> &'static str {
        "xlsx"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["xls"]
    }

    fn media_type(&self) -> &'static str {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    }

    fn family(&self) -> Family {
        Family::Export
    }

    fn disposition(&self) -> Disposition {
        Disposition::Saved
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        Box::new(XlsxEncoder {
            document,
            workbook: Workbook::new(),
            styles: Styles::new(),
            sheets: 0,
            row: SHEET_ROWS + 1,
            text: Vec::new(),
            finished: None,
        })
    }
}

struct XlsxEncoder {
    document: Document,
    workbook: Workbook,
    styles: Styles,
    /// Sheets of rows that were begun.
    sheets: usize,
    /// The row that comes next in the last of them.
    row: u32,
    text: Vec<u8>,
    /// The workbook, once it is put together.
    finished: Option<File>,
}

struct Styles {
    head: CellFormat,
    date: CellFormat,
    date_time: CellFormat,
    whole: CellFormat,
    float: CellFormat,
    label: CellFormat,
}

impl Styles {
    fn new() -> Self {
        Self {
            head: CellFormat::new().set_bold().set_align(FormatAlign::Top).set_text_wrap(),
            date: CellFormat::new().set_num_format("yyyy-mm-dd"),
            date_time: CellFormat::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            whole: CellFormat::new().set_num_format("0"),
            float: CellFormat::new().set_num_format("0.00"),
            label: CellFormat::new().set_bold(),
        }
    }
}

impl Encoder for XlsxEncoder {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        // Another time of making would be another file.
        let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
        let properties = DocProperties::new().set_title(&self.document.title).set_author("headroom");
        self.workbook.set_properties(&properties.set_creation_datetime(&made));
        self.begin_sheet()
    }

    fn rows(&mut self, batch: &RecordBatch, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        let cells = Cells::new(batch, &self.document.columns)?;
        for row in 0..batch.num_rows() {
            if self.row > SHEET_ROWS {
                self.begin_sheet()?;
            }
            let sheet = self.workbook.worksheet_from_index(self.sheets - 1)?;
            for column in 0..self.document.columns.len() {
                let place = (self.row, u16::try_from(column).unwrap_or(u16::MAX));
                write_cell(sheet, place, cells.get(row, column), &self.styles, &mut self.text)?;
            }
            self.row += 1;
        }
        Ok(())
    }

    fn end(&mut self, _: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        let mut finished = match self.finished.take() {
            Some(finished) => finished,
            None => self.finish()?,
        };
        let before = out.len();
        (&mut finished).take(PIECE as u64).read_to_end(out)?;
        if out.len() - before < PIECE {
            return Ok(Ending::Whole);
        }
        self.finished = Some(finished);
        Ok(Ending::More)
    }
}

impl XlsxEncoder {
    fn begin_sheet(&mut self) -> Result<(), EncodeError> {
        self.end_sheet()?;
        self.sheets += 1;
        let name = if self.sheets == 1 {
            "Report".to_owned()
        } else {
            format!("Report {}", self.sheets)
        };
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?.set_freeze_panes(1, 0)?;
        print_setup(sheet, &self.document.title);
        sheet.set_repeat_rows(0, 0)?;
        for (place, column) in (0..).zip(&self.document.columns) {
            sheet.set_column_width(place, width_of(column))?;
            sheet.write_string_with_format(0, place, cut(&column.title), &self.styles.head)?;
        }
        self.row = 1;
        Ok(())
    }

    /// A filter knows the last row.
    fn end_sheet(&mut self) -> Result<(), EncodeError> {
        let last = u16::try_from(self.document.columns.len()).unwrap_or(u16::MAX).saturating_sub(1);
        if self.sheets > 0 {
            self.workbook
                .worksheet_from_index(self.sheets - 1)?
                .autofilter(0, 0, self.row - 1, last)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<File, EncodeError> {
        self.end_sheet()?;
        self.about()?;
        let mut file = tempfile::tempfile()?;
        self.workbook.save_to_writer(BufWriter::new(&mut file))?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// The sheet that says what the others are.
    fn about(&mut self) -> Result<(), XlsxError> {
        let document = &self.document;
        let sheet = self.workbook.add_worksheet();
        print_setup(sheet, &document.title);
        sheet.set_name("About")?.set_column_width(0, 22)?.set_column_width(1, 80)?;
        let own = [
            ("Report", document.title.as_str()),
            ("About", document.subtitle.as_str()),
            ("What it says", document.summary.as_str()),
        ];
        let facts = document.facts.iter().map(|(label, value)| (label.as_str(), value.as_str()));
        let notes = notes::of(document);
        let notes = notes.iter().map(|note| ("Note", note.as_str()));
        for (row, (label, value)) in (0..).zip(own.into_iter().chain(facts).chain(notes)) {
            sheet.write_string_with_format(row, 0, cut(label), &self.styles.label)?;
            sheet.write_string(row, 1, cut(value))?;
        }
        Ok(())
    }
}

/// How a sheet comes out of a printer: across, as wide as the paper, with its name on top and the number of the page below.
fn print_setup(sheet: &mut Worksheet, title: &str) {
    // An ampersand begins a command unless it is doubled, and a header has 255 characters.
    let title: String = title.chars().filter(|c| !c.is_control()).take(100).collect();
    sheet
        .set_landscape()
        .set_print_fit_to_pages(1, 0)
        .set_header(format!("&L{}", title.replace('&', "&&")))
        .set_footer("&L&A&RPage &P of &N");
}

fn write_cell(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: Cell<'_>,
    styles: &Styles,
    text: &mut Vec<u8>,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Null => {}
        Cell::Text(value) => {
            sheet.write_string(row, column, cut(value))?;
        }
        Cell::Integer(number) => {
            sheet.write_number_with_format(row, column, number as f64, &styles.whole)?;
        }
        Cell::Float(number) if !number.is_finite() => {}
        Cell::Float(number) => {
            sheet.write_number_with_format(row, column, number::rounded(number), &styles.float)?;
        }
        // All digits that a spreadsheet has.
        Cell::Number(number) => match number.parse::<f64>() {
            Ok(number) if number.is_finite() => drop(sheet.write_number(row, column, number)?),
            _ => drop(sheet.write_string(row, column, number)?),
        },
        Cell::Boolean(value) => {
            sheet.write_boolean(row, column, value)?;
        }
        Cell::Date(day) => {
            sheet.write_number_with_format(row, column, serial(i64::from(day.0) * DAY), &styles.date)?;
        }
        Cell::Period(Granularity::Day, start) => {
            sheet.write_number_with_format(row, column, serial(start), &styles.date)?;
        }
        Cell::DateTime(local) | Cell::Timestamp(local) | Cell::Instant(local, _) => {
            sheet.write_number_with_format(row, column, serial(local), &styles.date_time)?;
        }
        Cell::Period(..) => {
            text.clear();
            cell.write_text(text);
            sheet.write_string(row, column, String::from_utf8_lossy(text))?;
        }
    }
    Ok(())
}

/// A wall-clock time as spreadsheets count: in days, 1970-01-01 being the 25,569th. Like in every text, a second is whole.
fn serial(local: Micros) -> f64 {
    25_569.0 + (local.div_euclid(1_000_000)) as f64 / 86_400.0
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(CELL_CHARS).map_or(text, |(end, _)| &text[..end])
}

fn width_of(column: &Column) -> f64 {
    let needed = match column.kind {
        ColumnType::DateTime | ColumnType::Timestamp => 19,
        ColumnType::Date => 10,
        ColumnType::Period | ColumnType::PeriodOf(_) => 21,
        ColumnType::Text | ColumnType::Enumeration => 24,
        ColumnType::Integer | ColumnType::Float | ColumnType::Boolean => 9,
        ColumnType::Number => 16,
    };
    // The button of the filter stands beside the title.
    (column.title.chars().count() + 4).clamp(needed, 60) as f64
}
