// How a primary is superseded, promoted again, and given up.
#include <string>
#include <utility>

#include "sidecar/replication/end_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/primary/primary_source.h"
#include "sidecar/storage/primary/remedies.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

// What this one sends from here on would part the followers further. Which of the two is right, a person says: so the
// file is looked at no more, also where it is replaced.
void PrimarySource::OnRival(const v1::End& end) {
  if (failed_ || superseded_) return;
  Supersede(end.message());
  runtime_.PostIo([this, generation = end.generation(), message = end.message()] {
    absl::Status noted = file_.NoteRival(generation, message);
    if (noted.ok()) return;
    spdlog::warn("storage {}: {}; after a restart it has to be told again", options_.name, noted.ToString());
  });
}

v1::End PrimarySource::SupersededEnd(const std::string& message) const {
  v1::End end = replication::MakeEnd(v1::End::REASON_SUPERSEDED, message, replication::kTwoPrimariesRemedy);
  const v1::Epoch* epoch = state_ ? replication::CurrentEpoch(state_->lineage) : nullptr;
  if (epoch == nullptr) return end;
  end.mutable_epoch()->set_id(epoch->id());
  end.mutable_epoch()->set_generation(epoch->generation());
  return end;
}

void PrimarySource::Supersede(const std::string& message) {
  superseded_ = true;
  Fail(message, SupersededRemedy(options_));
}

void PrimarySource::BeginGeneration(absl::AnyInvocable<void(absl::StatusOr<v1::Lineage>)> done) {
  runtime_.PostIo([this, id = RandomId(runtime_), done = std::move(done)]() mutable {
    auto begun = file_.BeginGeneration(id);
    runtime_.Post([done = std::move(done), begun = std::move(begun)]() mutable { done(std::move(begun)); });
  });
}

void PrimarySource::GiveUp(absl::AnyInvocable<void(absl::Status)> done) {
  runtime_.PostIo([this, done = std::move(done)]() mutable {
    absl::Status given_up = file_.GiveUp();
    runtime_.Post([done = std::move(done), given_up = std::move(given_up)]() mutable { done(std::move(given_up)); });
  });
}

}  // namespace zrs::storage
