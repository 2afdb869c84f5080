//! Memory: a fresh process at rest, and the most it held while one large reply went through.

use std::time::Duration;

use crate::Failure;
use crate::calls::Call;
use crate::load::verify;
use crate::support::conversations::tencent;
use crate::support::table::number;
use crate::table::{Table, mebibytes};
use crate::targets::{Place, Target};
use crate::vendor::Vendor;

/// About 10 MiB of reply and 6 MiB of request, within the limits that onevelope has by default.
const RESOURCES: usize = 110_000;

pub async fn memory(targets: &[Target], place: &Place, vendor: &Vendor) -> Result<(), Failure> {
    let call = Call::batch("memory", tencent(RESOURCES));
    vendor.replies(&call.reply);
    let about = format!(
        "Resident memory in MiB, each in a fresh process; one reply of {} MiB about {RESOURCES} resources, asked for in {} MiB",
        mebibytes(call.reply_body.len()),
        mebibytes(call.request_body),
    );
    let head = [
        "target      ",
        "at rest",
        "peak ",
        "peak − rest",
        "÷ reply",
        "answer",
        "÷ (2 × reply + answer + 1 MiB)",
    ];
    let table = Table::new(&about, &head.map(str::to_owned));
    for target in targets {
        let process = target.start(place).await?;
        // What a start leaves to do, and to give back, is done by then.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let rest = process.memory("VmRSS")?;
        process.forget_peak()?;
        let answer = verify(process.address, &call, target.translates()).await?;
        let peak = process.memory("VmHWM")?;
        let more = peak.saturating_sub(rest);
        table.row(&[
            target.name().to_owned(),
            mebibytes(rest),
            mebibytes(peak),
            mebibytes(more),
            number(more as f64 / call.reply_body.len() as f64),
            mebibytes(answer.len),
            number(more as f64 / (2 * call.reply_body.len() + answer.len + (1 << 20)) as f64),
        ]);
    }
    Ok(())
}
