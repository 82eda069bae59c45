#include "tests/sidecar/admin/status_samples.h"

namespace zrs::admin {

absl::Time SampleTime() { return absl::FromUnixSeconds(1'700'000'000); }

std::string SampleTimeText(absl::Duration before) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", SampleTime() - before, absl::UTCTimeZone());
}

v1::StatusResponse EmptyStatus() {
  v1::StatusResponse status;
  status.set_version("1.2.3");
  status.set_pid(42);
  v1::StorageStatus* storage = status.add_storages();
  storage->set_name("main");
  storage->set_role("secondary");
  storage->set_state("starting");
  storage->set_path("/data/Data.fs");
  return status;
}

v1::StatusResponse EmptyParts() {
  v1::StatusResponse status = EmptyStatus();
  v1::StorageStatus* storage = status.mutable_storages(0);
  storage->mutable_progress();
  storage->mutable_upstream()->add_others();
  storage->add_followers();
  storage->mutable_error();
  storage->mutable_last_swap();
  storage->mutable_checking();
  v1::Comparison& comparison = *storage->mutable_divergence();
  comparison.set_time(SampleTimeText(absl::Hours(1)));
  storage->mutable_scrub();
  storage->mutable_index();
  return status;
}

namespace {

void FillTransaction(v1::ComparedTransaction* transaction) {
  transaction->set_damage("at 1000: no status of a transaction");
  transaction->set_tid("03f2cd6d55555556");
  transaction->set_time(SampleTimeText(absl::Seconds(4)));
  transaction->set_user("admin");
  transaction->set_description("edit");
  transaction->set_bytes(400);
}

void FillComparison(v1::Comparison* comparison) {
  comparison->set_time(SampleTimeText(absl::Seconds(3)));
  comparison->set_same_up_to(1000);
  comparison->set_tid("03f2cd6d55555555");
  comparison->set_tid_time(SampleTimeText(absl::Seconds(5)));
  comparison->set_difference(1016);
  comparison->set_committed_end(2000);
  comparison->set_upstream_end(3000);
  FillTransaction(comparison->mutable_here());
  FillTransaction(comparison->mutable_upstream());
  comparison->set_unsound("at 500: nonsense");
}

}  // namespace

v1::StatusResponse FullStatus() {
  v1::StatusResponse status = EmptyStatus();
  v1::StorageStatus& storage = *status.mutable_storages(0);
  storage.set_state("streaming");
  storage.set_database_id("00112233445566778899aabbccddeeff");
  storage.set_epoch("ffeeddccbbaa99887766554433221100");
  storage.set_generation(2);
  storage.set_committed_end(123'456'789);
  storage.set_last_tid("03f2cd6d55555555");
  storage.set_last_tid_time(SampleTimeText(absl::Seconds(5)));
  storage.set_lag_bytes(1'500'000);
  storage.set_lag_seconds(2.5);
  storage.set_watch("inotify");
  storage.set_blobs("external");
  storage.set_takes_identity("new");
  storage.set_fencing_since(SampleTimeText(absl::Seconds(42)));
  v1::Progress& progress = *storage.mutable_progress();
  progress.set_bytes(250'000'000);
  progress.set_total(1'000'000'000);
  progress.set_rate(125'000'000);
  progress.set_seconds_left(6);
  v1::Upstream& upstream = *storage.mutable_upstream();
  upstream.set_address("database-host:5000");
  upstream.set_connected(true);
  upstream.set_since(SampleTimeText(absl::Minutes(3)));
  upstream.set_last_error("Connection refused");
  v1::OtherUpstream& other = *upstream.add_others();
  other.set_address("old-host:5000");
  other.set_why_not("it is a stale primary");
  v1::Follower& follower = *storage.add_followers();
  follower.set_peer("10.0.0.2:41234");
  follower.set_state("streaming");
  follower.set_sent(123'456'000);
  follower.set_acknowledged(123'455'000);
  follower.set_lag_bytes(1'789);
  follower.set_lag_seconds(0.25);
  follower.set_connected_since(SampleTimeText(absl::Hours(5)));
  v1::Problem& error = *storage.mutable_error();
  error.set_message("something is wrong");
  error.set_remedy("mend it");
  error.set_since(SampleTimeText(absl::Minutes(10)));
  v1::LastSwap& swap = *storage.mutable_last_swap();
  swap.set_time(SampleTimeText(absl::Hours(1)));
  swap.set_command_error("it ended with exit code 3");
  v1::Checking& checking = *storage.mutable_checking();
  checking.set_purpose("compare");
  *checking.mutable_progress() = progress;
  FillComparison(storage.mutable_divergence());
  v1::Scrub& scrub = *storage.mutable_scrub();
  scrub.set_finished(SampleTimeText(absl::Hours(30)));
  scrub.set_next(SampleTimeText(-absl::Hours(30)));
  scrub.set_position(4096);
  scrub.set_last_error("the upstream cannot be asked");
  v1::KeptIndex& index = *storage.mutable_index();
  index.set_up_to(123'000'000);
  index.set_time(SampleTimeText(absl::Minutes(7)));
  index.set_last_error("the disk is full");
  return status;
}

}  // namespace zrs::admin
