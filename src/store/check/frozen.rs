//! Records of frozen views, and the rows that they name.

use super::super::intact::{FileRecord, Found};
use super::super::json::Reading;
use super::super::place::Entry;
use super::{Checker, Condition};
use crate::error::Result;

const MEND: &str = "segql run --refreeze with the name of the view computes it anew";

impl Checker<'_> {
    pub(super) async fn frozen(&mut self, entry: &Entry) -> Result<()> {
        let Some((folder, name)) = entry.file.rsplit_once('/') else {
            return Ok(());
        };
        if !name.ends_with(".json") {
            return Ok(());
        }
        let path = self.store.layout.at(&entry.file)?;
        let record: FileRecord = match self.store.read_record(&path).await? {
            Reading::Whole(record) => record,
            Reading::Missing => return Ok(()),
            Reading::Damaged => {
                let problem = "is no record of a frozen view";
                self.found(
                    Condition::Damaged,
                    None,
                    &entry.file,
                    problem,
                    MEND.to_owned(),
                );
                return Ok(());
            }
        };
        let file = format!("{folder}/{}.parquet", record.id);
        let rows = self.store.layout.at(&file)?;
        self.frozen.insert(file.clone());
        let problem = match self.store.inspect(&rows, &record).await? {
            Found::Sound => return Ok(()),
            Found::Missing => "is missing".to_owned(),
            Found::Wrong(problem) => problem,
            Found::Other | Found::Foreign => "is not what its record says".to_owned(),
        };
        self.found(Condition::Damaged, None, &file, problem, MEND.to_owned());
        Ok(())
    }
}
