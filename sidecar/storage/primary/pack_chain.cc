#include "sidecar/storage/primary/pack_chain.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "filestorage/data_file_names.h"
#include "filestorage/format.h"

namespace zrs::storage {
namespace {

using filestorage::Boundary;
using filestorage::OldPath;
using filestorage::PackProof;
using filestorage::Tail;
using filestorage::TailReport;
using By = filestorage::PackProof::By;

// OK where the file is as it was reported before; its end is then that of all it has. FailedPrecondition where it is
// not.
absl::Status ReadToEnd(Tail& tail) {
  const absl::StatusOr<TailReport> report = PollToEnd(tail);
  if (!report.ok() || report->as_before()) return report.status();
  return absl::FailedPreconditionError(report->reason);
}

// ProvePack of two whole files; rule 3 proves nothing here.
absl::StatusOr<PackProof> ProveLink(Tail& pack, const Boundary& before, Tail* tail_before) {
  const auto read = [&pack](uint64_t offset, absl::Span<char> out) { return pack.Read(offset, out); };
  const auto read_before = [tail_before](uint64_t offset, absl::Span<char> out) {
    return tail_before->Read(offset, out);
  };
  const filestorage::ReadFunction function = read_before;
  return filestorage::ProvePack(read, pack.magic(), pack.end(), before, tail_before != nullptr ? &function : nullptr);
}

bool IsPackOf(Tail& pack, Tail& before) {
  const absl::StatusOr<PackProof> proof = ProveLink(pack, before.end(), &before);
  return proof.ok() && proof->proved() && proof->by != By::kLaterPack;
}

PackProof NotProved(std::string reason) { return {By::kNothing, std::move(reason)}; }

}  // namespace

PackChain::PackChain(filestorage::FileSystem& file_system, std::string path)
    : file_system_(file_system), path_(std::move(path)) {}

void PackChain::BeginWith(std::unique_ptr<Tail> followed, uint64_t inode) {
  Clear();
  followed->Unname();
  lost_ = !ReadToEnd(*followed).ok();
  if (!lost_) followed_ = {std::move(followed), inode};
}

void PackChain::BeginLost() {
  Clear();
  lost_ = true;
}

absl::Status PackChain::BeginUnseen(const Boundary& known) {
  Clear();
  absl::StatusOr<Held> old = OpenOld(known);
  // Whoever wants a proof of it hears of that again.
  if (absl::IsDataLoss(old.status())) return absl::OkStatus();
  if (!old.ok()) return old.status();
  followed_ = *std::move(old);
  return absl::OkStatus();
}

void PackChain::Add(std::unique_ptr<Tail> pending, uint64_t inode) {
  if (!followed_.tail) return;
  pending->Unname();
  if (ReadToEnd(*pending).ok() && IsPackOf(*pending, *last().tail)) link_ = {std::move(pending), inode};
}

void PackChain::LetGo(uint64_t inode) {
  if (link_.inode == inode) link_ = {};
  if (followed_.inode != inode) return;
  followed_ = {};
  lost_ = true;
}

void PackChain::Clear() {
  followed_ = {};
  link_ = {};
  lost_ = false;
}

absl::StatusOr<PackChain::Held> PackChain::OpenOld(const Boundary& known) const {
  const std::string path = OldPath(path_);
  const auto info = file_system_.Stat(path);
  if (!info.ok() || info->inode == followed_.inode || info->inode == link_.inode) return Held{};
  auto tail = Tail::Open(file_system_, path, filestorage::TailOptions{}, known);
  if (absl::IsPermissionDenied(tail.status()) || absl::IsAborted(tail.status()) || absl::IsDataLoss(tail.status())) {
    return tail.status();
  }
  if (!tail.ok()) return Held{};
  const absl::Status read = ReadToEnd(**tail);
  if (absl::IsDataLoss(read)) return read;
  if (!read.ok()) return Held{};
  return Held{*std::move(tail), info->inode};
}

absl::StatusOr<PackProof> PackChain::Prove(Tail& now, const Boundary& left, bool doubted,
                                           std::optional<Boundary>* between) const {
  between->reset();
  auto proof = ProveLink(now, left, followed());
  if (proof.ok() && !proof->proved() && !lost_ && !doubted) {
    auto found = FindBetween(now, left);
    if (!found.ok()) return found.status();
    if (found->has_value()) proof = PackProof{By::kGarbage, ""};
    *between = *found;
  }
  if (!proof.ok() || (proof->by != By::kLaterPack && proof->by != By::kGarbage)) return proof;
  const std::string missing = absl::StrCat("the transaction ", filestorage::TidHex(left.tid),
                                           ", the last that was replicated, is not in it, and ");
  if (lost_) return NotProved(absl::StrCat(missing, "the file before it was overwritten in place, which no pack does"));
  if (doubted) return NotProved(absl::StrCat(missing, "it was packed after another file had been in its place"));
  if (proof->by == By::kGarbage) return proof;
  return ProveByOldFile(now, left, missing);
}

// What was undone between two packs may be garbage by the second, which looks like no pack of the file before the
// first. The undo is behind all that the first one had: a file that ends before is an older one, whatever it looks
// like.
absl::StatusOr<std::optional<Boundary>> PackChain::FindBetween(Tail& now, const Boundary& left) const {
  const auto goes_on = [&left](Tail& between) { return between.end().tid > left.tid; };
  if (link_.tail && goes_on(*link_.tail) && IsPackOf(now, *link_.tail)) return link_.tail->end();
  if (!followed_.tail) return std::nullopt;
  const absl::StatusOr<Held> old = OpenOld(Boundary{});
  // Too few descriptors heal, and a doubt would not. One that may not be read by now proves nothing.
  if (absl::IsAborted(old.status())) return old.status();
  if (!old.ok() || !old->tail || !goes_on(*old->tail)) return std::nullopt;
  if (!IsPackOf(*old->tail, *last().tail) || !IsPackOf(now, *old->tail)) return std::nullopt;
  return old->tail->end();
}

absl::StatusOr<PackProof> PackChain::ProveByOldFile(Tail& now, const Boundary& left, const std::string& missing) const {
  const PackProof proved{By::kLaterPack, ""};
  if (link_.tail && IsPackOf(now, *link_.tail)) return proved;
  const absl::StatusOr<Held> old = OpenOld(Boundary{});
  if (absl::IsDataLoss(old.status())) {
    return NotProved(absl::StrCat(missing, "what it was packed from cannot be read: ", old.status().message()));
  }
  if (!old.ok()) return old.status();
  if (!old->tail && followed() == nullptr) return proved;
  if (!old->tail || !IsPackOf(now, *old->tail)) {
    return NotProved(absl::StrCat(missing, "it was packed from another file than the one that was followed, or than ",
                                  OldPath(path_)));
  }
  const auto proof = ProveLink(*old->tail, left, nullptr);
  if (!proof.ok()) return proof.status();
  if (proof->proved() || (followed() != nullptr && IsPackOf(*old->tail, *last().tail))) return proved;
  return NotProved(
      absl::StrCat(missing, "it was packed from ", OldPath(path_), ", which does not have that transaction either"));
}

}  // namespace zrs::storage
