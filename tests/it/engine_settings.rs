//! Wrong results of DataFusion 55.2 that our settings keep away. When a case passes with the defaults, the setting can go.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::execution::options::ParquetReadOptions;
use datafusion::prelude::{SessionConfig, SessionContext};
use parquet::arrow::ArrowWriter;
use riskstrat::expr;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

async fn rows(context: &SessionContext, sql: &str) -> usize {
    context.sql(sql).await.unwrap().collect().await.unwrap().iter().map(RecordBatch::num_rows).sum()
}

/// A join below a join with a filter over both sides of an outer join: one row, and dynamic filters lose it.
async fn outer_join_rows(config: SessionConfig) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let context = SessionContext::new_with_config(config.with_create_default_catalog_and_schema(true));
    for (name, columns) in [("ta", vec![("id", "a1"), ("ty", "x1")]), ("tb", vec![("id", "x1")])] {
        let column = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
        let batch = RecordBatch::try_from_iter(columns.into_iter().map(|(name, value)| (name, column(value)))).unwrap();
        let path = folder.path().join(format!("{name}.parquet"));
        let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        context.register_parquet(name, path.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
    }
    let sql = "SELECT s.id AS sid, a.id AS aid, b.id AS bid FROM tb s JOIN (SELECT a.id, b.id FROM ta a LEFT JOIN tb b \
               ON a.ty = b.id WHERE a.id = 'a1' OR b.id = 'zz') ON s.id = b.id";
    rows(&context, sql).await
}

/// A join on one column and a comparison of others: one row, and a sort-merge join over two partitions loses it.
async fn range_join_rows(config: SessionConfig) -> usize {
    let context =
        SessionContext::new_with_config(config.with_create_default_catalog_and_schema(true).with_target_partitions(2));
    let sql = "SELECT t1.column2 AS l, t2.column2 AS r FROM (VALUES (100, 1, 0)) t1 JOIN (VALUES (10, 1)) t2 \
               ON t1.column2 = t2.column2 AND t1.column1 > t2.column1";
    rows(&context, sql).await
}

#[test]
fn our_settings_give_the_row_that_the_defaults_lose() {
    let ours = block_on(outer_join_rows(expr::session_config()));
    let defaults = block_on(outer_join_rows(SessionConfig::new()));
    assert_eq!((ours, defaults), (1, 0), "ours, then DataFusion's defaults");
}

#[test]
fn our_settings_join_by_hash() {
    let mut merge = SessionConfig::new();
    merge.options_mut().optimizer.prefer_hash_join = false;
    let ours = block_on(range_join_rows(expr::session_config()));
    let merge = block_on(range_join_rows(merge));
    assert_eq!((ours, merge), (1, 0), "ours, then a sort-merge join");
}

#[test]
fn the_settings_in_force_are_the_ones_meant() {
    let settings = expr::settings();
    let of = |name: &str| settings.get(name).map(String::as_str);
    assert_eq!(of("datafusion.optimizer.enable_dynamic_filter_pushdown"), Some("false"));
    assert_eq!(of("datafusion.optimizer.prefer_hash_join"), Some("true"));
}
