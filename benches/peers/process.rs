//! A proxy as a process: pinned to its core, and read in `/proc`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::Failure;

/// A running program; ends when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

/// Nanoseconds on the processor, by thread.
#[derive(Debug)]
pub struct OnCpu(HashMap<std::ffi::OsString, u64>);

impl Process {
    /// Starts a program on one core and waits until it listens. `loud`: what it says on standard error is for us.
    pub async fn start(
        core: usize,
        words: &[String],
        address: SocketAddr,
        loud: bool,
    ) -> Result<Self, Failure> {
        // `taskset` turns into the program, so the process is the program's own.
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string()]).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        if !loud {
            command.stderr(Stdio::null());
        }
        let child = command.spawn().map_err(|cause| format!("taskset (util-linux): {cause}"))?;
        let mut process = Self { child, address };
        for _ in 0..500 {
            if let Some(status) = process.child.try_wait()? {
                return Err(format!("{status} from: {}", words.join(" ")).into());
            }
            if TcpStream::connect(address).await.is_ok() {
                return Ok(process);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("does not listen on {address}: {}", words.join(" ")).into())
    }

    /// The time its threads have had so far. Other load on the machine disturbs it little.
    pub fn on_cpu(&self) -> Result<OnCpu, Failure> {
        let mut threads = HashMap::new();
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let thread = thread?;
            // A thread that has just ended has nothing to tell.
            let Ok(text) = std::fs::read_to_string(thread.path().join("schedstat")) else { continue };
            threads.insert(thread.file_name(), text.split(' ').next().unwrap_or("0").parse()?);
        }
        Ok(OnCpu(threads))
    }

    /// A line of `/proc/<pid>/status`, in bytes.
    pub fn memory(&self, name: &str) -> Result<usize, Failure> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find(|line| line.starts_with(name)).ok_or("no such line of status")?;
        let kib: usize = line.split_whitespace().nth(1).ok_or("no number in status")?.parse()?;
        Ok(kib << 10)
    }

    /// Ends it by a signal that none of the programs handles: no drain, no last words of its own.
    pub fn interrupt(&mut self) -> Result<(), Failure> {
        // The shell's own `kill`: there is always a shell.
        let kill = format!("kill -USR1 {}", self.child.id());
        Command::new("sh").args(["-c", &kill]).status().map_err(|cause| format!("sh: {cause}"))?;
        self.child.wait()?;
        Ok(())
    }

    /// From now on `VmHWM` tells the highest again; a start may have been the highest so far.
    pub fn forget_peak(&self) -> Result<(), Failure> {
        Ok(std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl OnCpu {
    /// Nanoseconds since `earlier`. A thread that ended in between counts nothing: those are pool threads gone idle.
    pub fn since(&self, earlier: &Self) -> u64 {
        let spent =
            |(thread, now): (_, &u64)| now - earlier.0.get::<std::ffi::OsString>(thread).unwrap_or(&0);
        self.0.iter().map(spent).sum()
    }
}

/// Keeps this process to one core.
pub fn pin_self(core: usize) -> Result<(), Failure> {
    let me = std::process::id().to_string();
    let done = Command::new("taskset").args(["-cp", &core.to_string(), &me]).stdout(Stdio::null()).status();
    match done.map_err(|cause| format!("taskset (util-linux): {cause}"))?.success() {
        true => Ok(()),
        false => Err(format!("core {core} is not ours; two are needed, see --cores").into()),
    }
}

/// An address nobody listens on.
pub fn free() -> Result<SocketAddr, Failure> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
