#include "sidecar/admin/status_json.h"

#include "sidecar/admin/comparison_json.h"

namespace zrs::admin {
namespace {

Json CheckingToJson(const v1::StorageStatus& status) {
  if (!status.has_checking()) return nullptr;
  return {{"purpose", status.checking().purpose()}, {"progress", ProgressToJson(status.checking().progress())}};
}

Json IndexToJson(const v1::StorageStatus& status) {
  if (!status.has_index()) return nullptr;
  const v1::KeptIndex& index = status.index();
  return {{"upTo", OrNull(index.has_up_to(), index.up_to())},
          {"time", OrNull(index.has_time(), index.time())},
          {"lastError", OrNull(index.has_last_error(), index.last_error())}};
}

Json ScrubToJson(const v1::StorageStatus& status) {
  if (!status.has_scrub()) return nullptr;
  const v1::Scrub& scrub = status.scrub();
  return {{"finished", OrNull(scrub.has_finished(), scrub.finished())},
          {"next", OrNull(scrub.has_next(), scrub.next())},
          {"position", OrNull(scrub.has_position(), scrub.position())},
          {"lastError", OrNull(scrub.has_last_error(), scrub.last_error())}};
}

Json UpstreamToJson(const v1::StorageStatus& status) {
  if (!status.has_upstream()) return nullptr;
  const v1::Upstream& upstream = status.upstream();
  Json others = Json::array();
  for (const v1::OtherUpstream& other : upstream.others()) {
    others.push_back({{"address", other.address()}, {"whyNot", other.why_not()}});
  }
  return {{"address", upstream.address()},
          {"connected", upstream.connected()},
          {"since", OrNull(upstream.has_since(), upstream.since())},
          {"lastError", OrNull(upstream.has_last_error(), upstream.last_error())},
          {"others", std::move(others)}};
}

Json FollowerToJson(const v1::Follower& follower) {
  return {{"peer", follower.peer()},
          {"state", follower.state()},
          {"sent", OrNull(follower.has_sent(), follower.sent())},
          {"acknowledged", OrNull(follower.has_acknowledged(), follower.acknowledged())},
          {"lagBytes", OrNull(follower.has_lag_bytes(), follower.lag_bytes())},
          {"lagSeconds", OrNull(follower.has_lag_seconds(), follower.lag_seconds())},
          {"connectedSince", follower.connected_since()}};
}

Json ErrorToJson(const v1::StorageStatus& status) {
  if (!status.has_error()) return nullptr;
  return {
      {"message", status.error().message()}, {"remedy", status.error().remedy()}, {"since", status.error().since()}};
}

Json SwapToJson(const v1::StorageStatus& status) {
  if (!status.has_last_swap()) return nullptr;
  const v1::LastSwap& swap = status.last_swap();
  return {{"time", swap.time()}, {"commandError", OrNull(swap.has_command_error(), swap.command_error())}};
}

Json StorageToJson(const v1::StorageStatus& status) {
  Json followers = Json::array();
  for (const v1::Follower& follower : status.followers()) followers.push_back(FollowerToJson(follower));
  return {{"name", status.name()},
          {"role", status.role()},
          {"state", status.state()},
          {"path", status.path()},
          {"databaseId", OrNull(status.has_database_id(), status.database_id())},
          {"epoch", OrNull(status.has_epoch(), status.epoch())},
          {"generation", OrNull(status.has_generation(), status.generation())},
          {"committedEnd", OrNull(status.has_committed_end(), status.committed_end())},
          {"lastTid", OrNull(status.has_last_tid(), status.last_tid())},
          {"lastTidTime", OrNull(status.has_last_tid_time(), status.last_tid_time())},
          {"lagBytes", OrNull(status.has_lag_bytes(), status.lag_bytes())},
          {"lagSeconds", OrNull(status.has_lag_seconds(), status.lag_seconds())},
          {"watch", OrNull(status.has_watch(), status.watch())},
          {"progress", status.has_progress() ? ProgressToJson(status.progress()) : Json(nullptr)},
          {"upstream", UpstreamToJson(status)},
          {"followers", std::move(followers)},
          {"error", ErrorToJson(status)},
          {"blobs", OrNull(status.has_blobs(), status.blobs())},
          {"lastSwap", SwapToJson(status)},
          {"checking", CheckingToJson(status)},
          {"divergence", status.has_divergence() ? ComparisonToJson(status.divergence()) : Json(nullptr)},
          {"scrub", ScrubToJson(status)},
          {"index", IndexToJson(status)},
          {"takesIdentity", OrNull(status.has_takes_identity(), status.takes_identity())},
          {"fencingSince", OrNull(status.has_fencing_since(), status.fencing_since())}};
}

}  // namespace

std::string StatusToJson(const v1::StatusResponse& status, JsonLayout layout) {
  Json storages = Json::array();
  for (const v1::StorageStatus& storage : status.storages()) storages.push_back(StorageToJson(storage));
  const Json json = {{"version", status.version()}, {"pid", status.pid()}, {"storages", std::move(storages)}};
  // Paths may hold any bytes; what is not UTF-8 is replaced rather than thrown about.
  return json.dump(layout == JsonLayout::kIndented ? 2 : -1, ' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace) +
         "\n";
}

}  // namespace zrs::admin
