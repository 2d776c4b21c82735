use std::future::Future;
use std::pin::Pin;

use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The only way to write. Jobs that wait at the same time share one transaction and so one sync to
/// disk; each has a savepoint of its own, so that one that fails takes nothing with it. A job, once
/// taken, is carried to its end even if nobody waits for the answer any more; nobody gets an answer
/// before it is on disk.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

/// What a job's closure returns: borrows the connection, nothing else.
pub(crate) type Work<'c, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>;

/// Jobs waiting; beyond it callers wait to queue.
const QUEUE_MAX: usize = 256;
/// Jobs in one transaction: bounds how long the first one waits for the last.
const GROUP_MAX: usize = 64;

impl Writer {
    /// Starts the task that owns the connection. It ends when the last `Writer` is gone and every
    /// job is done.
    pub(crate) fn spawn(connection: SqliteConnection) -> (Self, JoinHandle<()>) {
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        (Self { jobs }, tokio::spawn(run(connection, queue)))
    }

    /// Runs `work` in a transaction. `Err` undoes what it wrote.
    ///
    /// # Errors
    /// The work's own, or the database's when the transaction could not be committed: then it may,
    /// after a crash, be there all the same.
    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sqlx::Error> + Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Typed { work: Some(work), result: None, reply };
        let gone = || E::from(sqlx::Error::WorkerCrashed);
        self.jobs.send(Box::new(job)).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// A job, whatever its types.
trait Job: Send {
    /// Does it. `false` = undo it.
    fn run<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'c>>;

    /// Answers, when it is on disk or will never be.
    fn answer(self: Box<Self>, committed: Result<(), String>);
}

struct Typed<T, E, F> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Typed<T, E, F>
where
    T: Send,
    E: From<sqlx::Error> + Send,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T, E> + Send,
{
    fn run<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'c>> {
        Box::pin(async move {
            let work = self.work.take().expect("a job runs once");
            let result = work(connection).await;
            let keep = result.is_ok();
            self.result = Some(result);
            keep
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), String>) {
        let answer = match (self.result, committed) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(_)) | None, Err(why)) => Err(sqlx::Error::Protocol(why).into()),
            (None, Ok(())) => Err(sqlx::Error::WorkerCrashed.into()),
        };
        // Nobody may be listening any more: the books have it all the same.
        drop(self.reply.send(answer));
    }
}

async fn run(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while queue.recv_many(&mut group, GROUP_MAX).await > 0 {
        let committed = run_group(&mut connection, &mut group).await;
        if let Err(error) = &committed {
            tracing::error!(%error, jobs = group.len(), "a transaction was not committed");
            // Whatever state it is in; without an open transaction this fails, rightly.
            drop(execute(&mut connection, "ROLLBACK").await);
        }
        for job in group.drain(..) {
            let committed = committed.as_ref().map_err(ToString::to_string);
            job.answer(committed.copied());
        }
    }
    if let Err(error) = super::close(connection).await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

async fn run_group(
    connection: &mut SqliteConnection,
    group: &mut [Box<dyn Job>],
) -> Result<(), sqlx::Error> {
    execute(connection, "BEGIN IMMEDIATE").await?;
    for job in group {
        execute(connection, "SAVEPOINT job").await?;
        if !job.run(connection).await {
            execute(connection, "ROLLBACK TO job").await?;
        }
        execute(connection, "RELEASE job").await?;
    }
    execute(connection, "COMMIT").await
}

/// A statement without values.
pub(crate) async fn execute(
    connection: &mut SqliteConnection,
    statement: &'static str,
) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await.map(drop)
}
