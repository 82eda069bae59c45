// The states of a storage; why it is in one, and what to do about it, for a person.
#ifndef ZRS_SIDECAR_ADMIN_STATE_ADVICE_H_
#define ZRS_SIDECAR_ADMIN_STATE_ADVICE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/zrs/v1/admin.pb.h"

namespace zrs::admin {

enum class Severity { kGood, kPassing, kNeedsSomebody };

struct KnownState {
  absl::string_view name;
  Severity severity = Severity::kPassing;
  absl::string_view reason;     // where zrs gives none; "" where it depends
  absl::string_view next_step;  // likewise
};

// Every state that there is, in the order of README.md beside this file.
absl::Span<const KnownState> KnownStates();

// How bad it is: its state, and a storage that streams though it has a problem is not well either. A state that this
// version does not know passes.
Severity SeverityOf(const v1::StorageStatus& status);

struct Advice {
  std::string reason;
  std::string next_step;
};

// What zrs itself says is the matter, in whatever state; else what the state means. nullopt for a storage that streams
// and has nothing to say.
std::optional<Advice> AdviceFor(const v1::StorageStatus& status);

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_STATE_ADVICE_H_
