// What is the matter with a storage, if anything: for status, health, and a log that says it once.
#ifndef ZRS_SIDECAR_STORAGE_PROBLEM_H_
#define ZRS_SIDECAR_STORAGE_PROBLEM_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/runtime/runtime.h"

namespace zrs::storage {

// What to do about an error that says that no file descriptor is left (Aborted), and after which it is tried again.
inline constexpr char kFewDescriptorsRemedy[] =
    "raise the limit of open files (LimitNOFILE); zrs tries again by itself";

// A remedy as those are told it who follow the storage that it is about: it is not their own host's.
std::string AtUpstream(const std::string& remedy);

// Everything on the strand. Logs a problem when it is new or another, then again at a low rate while it is raised again
// and again, and once when it is gone.
class ProblemReport {
 public:
  ProblemReport(std::string storage_name, runtime::Runtime& runtime);

  // `message`: what is the matter. `remedy`: what to do about it. `lasting`: it does not heal by itself.
  void Raise(const std::string& message, const std::string& remedy, bool lasting = false);
  void Clear();

  bool raised() const { return problem_.has_value(); }
  void FillStatus(v1::StorageStatus& status) const;

 private:
  struct Problem {
    std::string message;
    std::string remedy;
    absl::Time since;
  };
  std::string storage_name_;
  runtime::Runtime& runtime_;
  std::optional<Problem> problem_;
  bool lasting_ = false;
  absl::Duration logged_;  // when last, by Runtime::Now
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PROBLEM_H_
