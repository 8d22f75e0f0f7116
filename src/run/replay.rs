//! `segql replay`: snapshots of past dates, one after the other.
//!
//! Every date is a run as of its end. What of its work is the same as at the date
//! before, but for the rows that came since, is carried over instead of computed anew;
//! the snapshots are those of single runs, byte for byte.

use std::sync::Arc;

use chrono::NaiveDate;

use super::carry::Carry;
use super::{Engine, RunReport, RunRequest};
use crate::error::Result;
use crate::plan::{RunPlan, select};
use crate::session::Moment;
use crate::store::NodeRecord;

impl Engine {
    /// Runs what is requested as of the end of each of these days, in their order;
    /// `progress` hears of every node as it ends. Dates whose snapshots are there and
    /// made from the same are left as they are. A node that fails at one date does not
    /// stop the next dates.
    pub async fn replay(
        &self,
        request: &RunRequest,
        dates: &[NaiveDate],
        progress: &mut (dyn FnMut(NaiveDate, &NodeRecord) + Send),
    ) -> Result<Vec<RunReport>> {
        let carry = match dates.len() > 1 && !request.dry_run {
            true => Some(Arc::new(self.carry(request, dates).await?)),
            false => None,
        };
        let mut reports = vec![];
        for (step, date) in dates.iter().enumerate() {
            let carry = carry.clone().map(|carry| (carry, step));
            let engine = self.at(*date);
            let told = &mut |node: &NodeRecord| progress(*date, node);
            reports.push(engine.run_carried(request, carry, told).await?);
        }
        Ok(reports)
    }

    async fn carry(&self, request: &RunRequest, dates: &[NaiveDate]) -> Result<Carry> {
        let known = self.known(&request.selection).await?;
        let chosen = select(&self.catalog, &request.selection, &known)?;
        let freezing = self.freeze(&chosen, &request.refreeze, false).await?;
        let plan = RunPlan::new(&self.catalog, &chosen)?;
        let zone = self.moment()?.zone();
        let moments = dates.iter().map(|date| Moment::end_of(*date, zone));
        let moments: Vec<Moment> = moments.collect::<Result<_>>()?;
        let evaluation = self.evaluation()?;
        let inputs = self.inputs(&plan, &evaluation).await?;
        let mut carry = Carry::find(self, &inputs, &moments, &plan.nodes)?;
        carry.freezing = freezing;
        Ok(carry)
    }
}
