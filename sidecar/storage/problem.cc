#include "sidecar/storage/problem.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/timestamp.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

constexpr absl::Duration kLogInterval = absl::Minutes(10);

}  // namespace

std::string AtUpstream(const std::string& remedy) { return absl::StrCat("on the upstream's host: ", remedy); }

ProblemReport::ProblemReport(std::string storage_name, runtime::Runtime& runtime)
    : storage_name_(std::move(storage_name)), runtime_(runtime) {}

void ProblemReport::Raise(const std::string& message, const std::string& remedy, bool lasting) {
  lasting_ = lasting_ || lasting;
  const bool same = problem_ && problem_->message == message;
  if (same && runtime_.Now() - logged_ < kLogInterval) return;
  logged_ = runtime_.Now();
  spdlog::error("storage {}: {}; {}", storage_name_, message, remedy);
  if (!same) problem_ = Problem{message, remedy, runtime_.UnixNow()};
}

void ProblemReport::Clear() {
  if (!problem_ || lasting_) return;
  spdlog::info("storage {}: healed: {}", storage_name_, problem_->message);
  problem_.reset();
}

void ProblemReport::FillStatus(v1::StorageStatus& status) const {
  if (!problem_) return;
  v1::Problem* error = status.mutable_error();
  error->set_message(problem_->message);
  error->set_remedy(problem_->remedy);
  error->set_since(filestorage::Rfc3339(problem_->since));
}

}  // namespace zrs::storage
