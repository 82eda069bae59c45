#include "sidecar/admin/comparison_json.h"

#include <utility>

namespace zrs::admin {
namespace {

std::string Print(const Json& json) {
  return json.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Json ProgressToJson(const v1::Progress& progress) {
  return {{"bytes", progress.bytes()},
          {"total", progress.total()},
          {"rate", OrNull(progress.has_rate(), progress.rate())},
          {"secondsLeft", OrNull(progress.has_seconds_left(), progress.seconds_left())}};
}

Json TransactionToJson(const v1::ComparedTransaction& transaction) {
  return {{"damage", OrNull(transaction.has_damage(), transaction.damage())},
          {"tid", OrNull(transaction.has_tid(), transaction.tid())},
          {"time", OrNull(transaction.has_time(), transaction.time())},
          {"user", OrNull(transaction.has_user(), transaction.user())},
          {"description", OrNull(transaction.has_description(), transaction.description())},
          {"bytes", OrNull(transaction.has_bytes(), transaction.bytes())}};
}

Json ComparisonToJson(const v1::Comparison& comparison) {
  return {{"time", comparison.time()},
          {"sameUpTo", comparison.same_up_to()},
          {"tid", OrNull(comparison.has_tid(), comparison.tid())},
          {"tidTime", OrNull(comparison.has_tid_time(), comparison.tid_time())},
          {"difference", OrNull(comparison.has_difference(), comparison.difference())},
          {"committedEnd", comparison.committed_end()},
          {"upstreamEnd", comparison.upstream_end()},
          {"here", comparison.has_here() ? TransactionToJson(comparison.here()) : Json(nullptr)},
          {"upstream", comparison.has_upstream() ? TransactionToJson(comparison.upstream()) : Json(nullptr)},
          {"unsound", OrNull(comparison.has_unsound(), comparison.unsound())}};
}

std::string CompareToJson(const v1::CompareResponse& response) {
  return Print({{"same", response.result() == v1::CompareResponse::RESULT_SAME},
                {"comparison", ComparisonToJson(response.comparison())}});
}

std::string ResyncToJson(const v1::ResyncResponse& response) {
  Json first = Json::array();
  for (const v1::ComparedTransaction& one : response.first()) first.push_back(TransactionToJson(one));
  return Print({{"done", response.result() == v1::ResyncResponse::RESULT_DONE},
                {"whole", response.whole()},
                {"transactions", response.transactions()},
                {"bytes", response.bytes()},
                {"savedTo", OrNull(!response.saved_to().empty(), response.saved_to())},
                {"comparison", ComparisonToJson(response.comparison())},
                {"first", std::move(first)}});
}

}  // namespace zrs::admin
