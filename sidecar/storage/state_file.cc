#include "sidecar/storage/state_file.h"

#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "filestorage/format.h"
#include "proto/zrs/v1/state.pb.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/state_json.h"
#include "sidecar/text/printable.h"

namespace zrs::storage {
namespace {

using text::Quoted;

constexpr uint32_t kStateVersion = 1;
constexpr uint64_t kLargestStateFile = 16 << 20;
// Only the sidecar reads it, and it names the database: not for everybody.
constexpr uint32_t kStateMode = 0640;
constexpr size_t kIdBytes = 16;

// All of what a damaged file, or somebody else's, says.
std::string Shown(absl::string_view what) { return text::Escaped(what, absl::string_view::npos); }

// No sign, no "0x", no space: what numbers are parsed by takes all of these.
bool IsHex(const std::string& text, size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

absl::StatusOr<std::string> IdFromHex(const std::string& hex, const char* what) {
  if (!IsHex(hex, 2 * kIdBytes)) {
    return absl::InvalidArgumentError(absl::StrCat(what, " is not 32 lower-case hex digits: ", Quoted(hex)));
  }
  return absl::HexStringToBytes(hex);
}

absl::StatusOr<filestorage::Tid> TidFromHex(const std::string& hex) {
  uint64_t tid = 0;
  if (!IsHex(hex, 16) || !absl::SimpleHexAtoi(hex, &tid)) {
    return absl::InvalidArgumentError(absl::StrCat("a transaction id is not 16 lower-case hex digits: ", Quoted(hex)));
  }
  return tid;
}

const char* OriginName(v1::Epoch::Origin origin) {
  switch (origin) {
    case v1::Epoch::ORIGIN_FORKED:
      return "forked";
    case v1::Epoch::ORIGIN_REPLACED:
      return "replaced";
    default:
      return "first";
  }
}

absl::StatusOr<v1::Epoch::Origin> OriginFromName(const std::string& name) {
  if (name == "first") return v1::Epoch::ORIGIN_FIRST;
  if (name == "forked") return v1::Epoch::ORIGIN_FORKED;
  if (name == "replaced") return v1::Epoch::ORIGIN_REPLACED;
  return absl::InvalidArgumentError(absl::StrCat("unknown origin of an epoch: ", Quoted(name)));
}

absl::StatusOr<v1::End::TakesIdentity> TakesIdentityFromName(const std::string& name) {
  for (const auto takes :
       {v1::End::TAKES_IDENTITY_NO, v1::End::TAKES_IDENTITY_WHILE_NEW, v1::End::TAKES_IDENTITY_AS_TOLD}) {
    if (name == TakesIdentityName(takes)) return takes;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("takesIdentity is ", Quoted(name), ", not \"\", \"new\" or \"wanted\""));
}

absl::StatusOr<filestorage::Boundary> BoundaryFromState(const v1::StateBoundary& from) {
  filestorage::Boundary boundary;
  boundary.offset = from.offset();
  boundary.last_offset = from.last_offset();
  auto tid = TidFromHex(from.tid());
  if (!tid.ok()) return tid.status();
  boundary.tid = *tid;
  auto digest = filestorage::Digest::FromHex(from.digest());
  if (!digest.ok()) return digest.status();
  boundary.digest = *digest;
  return boundary;
}

absl::StatusOr<v1::Epoch> EpochFromState(const v1::StateEpoch& from) {
  auto id = IdFromHex(from.id(), "an epoch's id");
  if (!id.ok()) return id.status();
  auto origin = OriginFromName(from.origin());
  if (!origin.ok()) return origin.status();
  auto left = BoundaryFromState(from.left());
  if (!left.ok()) return left.status();
  v1::Epoch epoch;
  epoch.set_id(*std::move(id));
  epoch.set_origin(*origin);
  epoch.set_generation(from.generation());
  if (left->offset != 0) *epoch.mutable_left() = replication::ToProto(*left);
  return epoch;
}

absl::StatusOr<v1::Lineage> LineageFromState(const std::string& database_id,
                                             const google::protobuf::RepeatedPtrField<v1::StateEpoch>& epochs) {
  if (epochs.empty()) return absl::InvalidArgumentError("it names no epoch");
  v1::Lineage lineage;
  auto id = IdFromHex(database_id, "the database id");
  if (!id.ok()) return id.status();
  lineage.set_database_id(*std::move(id));
  for (const v1::StateEpoch& from : epochs) {
    auto epoch = EpochFromState(from);
    if (!epoch.ok()) return epoch.status();
    *lineage.add_epochs() = *std::move(epoch);
  }
  if (absl::Status valid = replication::ValidateLineage(lineage); !valid.ok()) return valid;
  return lineage;
}

absl::Status CheckTime(const std::string& text) {
  absl::Time time;
  if (text.empty() || absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a time is not in RFC 3339: ", Quoted(text)));
}

absl::StatusOr<State::Rebuild> RebuildFromState(const std::string& database_id, const v1::StateRebuild& from) {
  State::Rebuild rebuild;
  auto lineage = LineageFromState(database_id, from.epochs());
  if (!lineage.ok()) return lineage.status();
  rebuild.lineage = *std::move(lineage);
  auto bound = BoundaryFromState(from.lower_bound());
  if (!bound.ok()) return bound.status();
  rebuild.lower_bound = *bound;
  if (from.has_swap_from() != from.has_swap_to()) return absl::InvalidArgumentError("half of a swap");
  if (!from.has_swap_to()) return rebuild;
  auto swap_from = BoundaryFromState(from.swap_from());
  if (!swap_from.ok()) return swap_from.status();
  auto swap_to = BoundaryFromState(from.swap_to());
  if (!swap_to.ok()) return swap_to.status();
  if (absl::Status valid = CheckTime(from.swap_time()); !valid.ok()) return valid;
  rebuild.swap = State::Swap{*swap_from, *swap_to, from.swap_time()};
  return rebuild;
}

absl::StatusOr<replication::KnownFollower> FollowerFromState(const v1::StateFollower& from) {
  replication::KnownFollower follower;
  auto id = IdFromHex(from.node_id(), "a follower's node id");
  if (!id.ok()) return id.status();
  follower.node_id = *std::move(id);
  for (const std::string& hex : from.marks()) {
    const auto mark = filestorage::Digest::FromHex(hex);
    if (!mark.ok()) return mark.status();
    follower.marks.push_back(*mark);
  }
  return follower;
}

void FillBoundary(const filestorage::Boundary& from, v1::StateBoundary* boundary) {
  boundary->set_offset(from.offset);
  boundary->set_last_offset(from.last_offset);
  boundary->set_tid(filestorage::TidHex(from.tid));
  boundary->set_digest(from.digest.ToHex());
}

void FillEpochs(const v1::Lineage& lineage, google::protobuf::RepeatedPtrField<v1::StateEpoch>* epochs) {
  for (const v1::Epoch& from : lineage.epochs()) {
    v1::StateEpoch* epoch = epochs->Add();
    epoch->set_id(absl::BytesToHexString(from.id()));
    epoch->set_origin(OriginName(from.origin()));
    epoch->set_generation(from.generation());
    FillBoundary(replication::LeftBoundary(from), epoch->mutable_left());
  }
}

v1::StorageState ToProto(const State& state) {
  v1::StorageState proto;
  proto.set_version(kStateVersion);
  proto.set_path(state.path);
  proto.set_machine_id(state.machine_id);
  proto.set_role(state.role);
  proto.set_database_id(absl::BytesToHexString(state.lineage.database_id()));
  FillEpochs(state.lineage, proto.mutable_epochs());
  FillBoundary(state.lower_bound, proto.mutable_lower_bound());
  proto.set_inode(state.inode);
  proto.set_doubted(state.doubted);
  proto.set_promoted_from(state.promoted_from);
  proto.set_complete(state.complete);
  proto.set_yielded_epoch(absl::BytesToHexString(state.yielded_epoch));
  proto.set_rival_generation(state.rival_generation);
  proto.set_rival(state.rival);
  proto.set_takes_identity(TakesIdentityName(state.takes_identity));
  proto.set_upstream(state.upstream);
  proto.set_upstream_is_secondary(state.upstream_is_secondary);
  if (state.kept) FillBoundary(*state.kept, proto.mutable_kept());
  if (state.swap_to_tell) proto.mutable_swap_to_tell()->set_time(*state.swap_to_tell);
  proto.set_difference(state.difference);
  if (state.scrub.position.offset != 0) FillBoundary(state.scrub.position, proto.mutable_scrub()->mutable_position());
  if (!state.scrub.finished.empty()) proto.mutable_scrub()->set_finished(state.scrub.finished);
  for (const replication::KnownFollower& from : state.followers) {
    v1::StateFollower* follower = proto.add_followers();
    follower->set_node_id(absl::BytesToHexString(from.node_id));
    for (const filestorage::Digest& mark : from.marks) follower->add_marks(mark.ToHex());
  }
  if (!state.rebuild) return proto;
  v1::StateRebuild* rebuild = proto.mutable_rebuild();
  FillEpochs(state.rebuild->lineage, rebuild->mutable_epochs());
  FillBoundary(state.rebuild->lower_bound, rebuild->mutable_lower_bound());
  if (!state.rebuild->swap) return proto;
  FillBoundary(state.rebuild->swap->from, rebuild->mutable_swap_from());
  FillBoundary(state.rebuild->swap->to, rebuild->mutable_swap_to());
  rebuild->set_swap_time(state.rebuild->swap->time);
  return proto;
}

absl::Status FillScrub(const v1::StateScrub& from, State::Scrub* scrub) {
  if (from.has_position()) {
    auto position = BoundaryFromState(from.position());
    if (!position.ok()) return position.status();
    scrub->position = *position;
  }
  if (absl::Status valid = CheckTime(from.finished()); !valid.ok()) return valid;
  scrub->finished = from.finished();
  return absl::OkStatus();
}

absl::StatusOr<State> FromProto(const v1::StorageState& proto) {
  if (proto.version() != kStateVersion) {
    return absl::UnimplementedError(
        absl::StrCat("its version is ", proto.version(), " and this zrs knows only ", kStateVersion));
  }
  if (proto.role() != "primary" && proto.role() != "secondary") {
    return absl::InvalidArgumentError(absl::StrCat("unknown role ", Quoted(proto.role())));
  }
  State state;
  state.path = proto.path();
  state.machine_id = proto.machine_id();
  state.role = proto.role();
  auto lineage = LineageFromState(proto.database_id(), proto.epochs());
  if (!lineage.ok()) return lineage.status();
  state.lineage = *std::move(lineage);
  auto bound = BoundaryFromState(proto.lower_bound());
  if (!bound.ok()) return bound.status();
  state.lower_bound = *bound;
  state.inode = proto.inode();
  state.doubted = proto.doubted();
  state.promoted_from = proto.promoted_from();
  state.complete = proto.complete();
  if (!proto.yielded_epoch().empty()) {
    auto epoch = IdFromHex(proto.yielded_epoch(), "the yielded epoch");
    if (!epoch.ok()) return epoch.status();
    state.yielded_epoch = *std::move(epoch);
  }
  state.rival_generation = proto.rival_generation();
  state.rival = proto.rival();
  auto takes_identity = TakesIdentityFromName(proto.takes_identity());
  if (!takes_identity.ok()) return takes_identity.status();
  state.takes_identity = *takes_identity;
  state.upstream = proto.upstream();
  state.upstream_is_secondary = proto.upstream_is_secondary();
  if (proto.has_kept()) {
    auto kept = BoundaryFromState(proto.kept());
    if (!kept.ok()) return kept.status();
    state.kept = *kept;
  }
  if (proto.has_swap_to_tell()) {
    if (absl::Status valid = CheckTime(proto.swap_to_tell().time()); !valid.ok()) return valid;
    state.swap_to_tell = proto.swap_to_tell().time();
  }
  state.difference = proto.difference();
  if (absl::Status filled = FillScrub(proto.scrub(), &state.scrub); !filled.ok()) return filled;
  for (const v1::StateFollower& from : proto.followers()) {
    auto follower = FollowerFromState(from);
    if (!follower.ok()) return follower.status();
    replication::Remember(*std::move(follower), &state.followers);
  }
  if (!proto.has_rebuild()) return state;
  auto rebuild = RebuildFromState(proto.database_id(), proto.rebuild());
  if (!rebuild.ok()) return rebuild.status();
  state.rebuild = *std::move(rebuild);
  return state;
}

absl::Status Damaged(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("read state file ", path, ": ", why,
                                                 "; restore the file from a backup, or move it away: a primary then "
                                                 "takes its identity from a secondary whose whole "
                                                 "file it has, and a secondary's file is compared with the primary's"));
}

}  // namespace

const char* TakesIdentityName(v1::End::TakesIdentity takes) {
  switch (takes) {
    case v1::End::TAKES_IDENTITY_WHILE_NEW:
      return "new";
    case v1::End::TAKES_IDENTITY_AS_TOLD:
      return "wanted";
    default:
      return "";
  }
}

StateFile::StateFile(filestorage::FileSystem& file_system, std::string path)
    : file_system_(file_system), path_(std::move(path)) {}

absl::StatusOr<std::optional<State>> StateFile::Load() {
  auto contents = filestorage::ReadWholeFile(file_system_, path_, kLargestStateFile);
  if (absl::IsNotFound(contents.status())) return std::optional<State>();
  if (absl::IsResourceExhausted(contents.status())) return Damaged(path_, "it is too large to be one");
  if (!contents.ok()) return contents.status();
  // A process that was killed while it saved may have left a name that is not durable, and what is loaded is not saved
  // again while it stays the same.
  absl::Status named = filestorage::SyncName(file_system_, path_);
  if (!named.ok()) return named;
  v1::StorageState proto;
  // Unknown fields are errors: a later version that means something by them has another version number.
  const absl::Status parsed = StateFromJson(*contents, &proto);
  if (!parsed.ok()) proto.set_version(StateVersionInJson(*contents));
  // It quotes the file, whatever bytes are in it.
  if (!parsed.ok() && proto.version() <= kStateVersion) return Damaged(path_, Shown(parsed.message()));
  auto state = FromProto(proto);
  if (absl::IsUnimplemented(state.status())) {
    return absl::UnimplementedError(absl::StrCat("read state file ", path_, ": ", state.status().message(),
                                                 "; it is sound: install the zrs that wrote it, or a later one"));
  }
  if (!state.ok()) return Damaged(path_, state.status().message());
  saved_ = *std::move(contents);
  return std::optional<State>(*std::move(state));
}

absl::Status StateFile::Save(const State& state, bool anew) {
  auto contents = StateToJson(ToProto(state));
  if (!contents.ok()) {
    return absl::InternalError(absl::StrCat("print state for ", path_, ": ", contents.status().message()));
  }
  if (*contents == saved_ && !anew) return absl::OkStatus();
  absl::Status replaced = filestorage::ReplaceFile(file_system_, path_, *contents, kStateMode);
  saved_ = replaced.ok() ? *std::move(contents) : std::string();
  return replaced;
}

absl::Status StateFile::Rehearse() {
  // What Save writes first.
  const std::string beside = path_ + ".new";
  if (auto made = file_system_.OpenOrCreate(beside, kStateMode); !made.ok()) return made.status();
  return file_system_.Remove(beside);
}

absl::Status CheckStateBelongs(const State& state, const std::string& state_path, const std::string& data_path,
                               const std::string& machine_id) {
  if (state.path != data_path) {
    return absl::FailedPreconditionError(absl::StrCat(
        "state file ", state_path, " was written for ", Shown(state.path), ", not for ", data_path,
        "; if a primary's data file was moved, type zrs adopt, and if it is a copy of another one's, zrs adopt "
        "--new-database (a secondary's state file is to be moved away: its file is then compared, and adopted); if the "
        "state was copied along with a configuration, give this storage a state "
        "directory of its own"));
  }
  if (!state.machine_id.empty() && !machine_id.empty() && state.machine_id != machine_id) {
    return absl::FailedPreconditionError(absl::StrCat(
        "state file ", state_path, " was written on another machine (", Shown(state.machine_id), ", this one is ",
        machine_id,
        "): two machines with one identity would diverge; if this machine took the other's place for good, type zrs "
        "adopt; if it is a clone, zrs adopt --new-database makes a primary a database of its own (a secondary's state "
        "file is to be moved away: its file is then compared, and adopted)"));
  }
  return absl::OkStatus();
}

absl::Status CheckStateIsPrimarys(const State& state, const std::string& state_path) {
  if (state.role == "primary") return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "state file ", state_path, " says that ", Shown(state.path),
      " is a secondary's copy; to make this host the primary, configure it as a secondary again, start it and type "
      "zrs promote; where it is a primary's own file, whose state was lost, move the state file away: it takes its "
      "identity from a secondary that has all of it"));
}

}  // namespace zrs::storage
