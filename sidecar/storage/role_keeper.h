// What a storage is, a primary or a secondary: makes the source for it, and exchanges that when the role changes.
#ifndef ZRS_SIDECAR_STORAGE_ROLE_KEEPER_H_
#define ZRS_SIDECAR_STORAGE_ROLE_KEEPER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/zrs/v1/admin.pb.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/primary/primary_source.h"
#include "sidecar/storage/problem.h"
#include "sidecar/storage/secondary/promotion.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "sidecar/storage/source.h"
#include "sidecar/storage/source_slot.h"

namespace zrs::storage {

// Everything on the strand.
class RoleKeeper {
 public:
  struct Hooks {
    SourceEvents events;                           // of whatever source there is
    std::function<void(const v1::End&)> withdraw;  // the source ends: nobody is served, and why
    // What was committed until now need not be in the file that is served next, and why; after `withdraw`.
    std::function<void(const std::string&)> given_up;
  };

  // The options outlive it.
  RoleKeeper(const StorageOptions& options, const StorageServices& services, Hooks hooks);

  // Decides by configuration and state, and starts the source.
  void Start();

  // Another one after a change of the role.
  Source& source() { return *source_; }
  // As Source's.
  void FillStatus(v1::StorageStatus& status) const;
  // Outlives every source.
  CommittedBytes& bytes() { return slot_; }

  // As Storage's. A superseded primary is promoted again where `upstream` does not matter.
  void Promote(v1::PromoteRequest::Upstream upstream, std::function<bool()> wanted,
               absl::AnyInvocable<void(v1::PromotedStorage)> answer);
  void Demote(absl::AnyInvocable<void(absl::Status)> answer);
  // `followers`: how many follow it now.
  void Adopt(v1::AdoptRequest::As as, uint32_t followers, absl::AnyInvocable<void(absl::StatusOr<std::string>)> answer);
  void Compare(uint64_t rate, std::function<bool()> wanted, absl::AnyInvocable<void(v1::CompareResponse)> answer);
  void Resync(bool dry_run, std::function<bool()> wanted, absl::AnyInvocable<void(v1::ResyncResponse)> answer);
  // FailedPrecondition, naming the storage, unless it is a secondary and stays one.
  absl::Status CheckHoldable() const;

  // The role is not changed any more: `done` once that is sure.
  void Stop(absl::AnyInvocable<void()> done);

 private:
  using Answer = absl::AnyInvocable<void(v1::PromotedStorage)>;

  SourceEvents MakeEvents();
  absl::Status CheckComparable() const;
  void MakeSource(bool primary);
  void StartSource();
  void ReadRole();
  void OnRoleRead(const absl::StatusOr<bool>& promoted);
  void OnPromotionEnded(Promotion::Result result);
  // For the log, since nobody is told how the command of a promotion that was given up ends.
  void AwaitFence();
  void PromoteAgain(Answer answer);
  // Quiesces and closes the source; another one takes its place. `given_up`: as the hook's; empty where the next source
  // has all of its file.
  void EndSource(bool primary, const std::string& why, const std::string& given_up, absl::AnyInvocable<void()> done);
  void Exchange(bool primary, absl::AnyInvocable<void()> done);
  void AnswerWhenServed(v1::PromotedStorage promoted);
  void AnswerIfServed();
  void Settle(const v1::PromotedStorage& answer);
  v1::PromotedStorage Refusal(const std::string& why) const;

  const StorageOptions& options_;
  const StorageServices services_;
  runtime::Runtime& runtime_;
  Hooks hooks_;
  SourceSlot slot_;
  std::unique_ptr<Source> source_;
  PrimarySource* primary_ = nullptr;      // the source, where it is one
  SecondarySource* secondary_ = nullptr;  // the same
  std::shared_ptr<Promotion::Fence> fence_;
  std::unique_ptr<runtime::Timer> fence_look_;  // of a promotion that was given up
  std::unique_ptr<Promotion> promotion_;
  Answer answer_;                                // while the role is being changed
  std::optional<v1::PromotedStorage> promoted_;  // to be answered when the primary is open, or has said why it is not
  bool opened_ = false;                          // the source
  bool stopping_ = false;
  bool decided_ = false;                           // what it is
  std::vector<absl::AnyInvocable<void()>> asked_;  // before that
  absl::AnyInvocable<void()> settled_;
  ProblemReport problem_;  // reading what the role is
  std::unique_ptr<runtime::Timer> retry_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_ROLE_KEEPER_H_
