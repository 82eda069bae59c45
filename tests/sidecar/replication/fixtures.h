// What the tests of the sessions share: lineages, messages, and a look into effects.
#ifndef ZRS_TESTS_SIDECAR_REPLICATION_FIXTURES_H_
#define ZRS_TESTS_SIDECAR_REPLICATION_FIXTURES_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/boundary.h"
#include "filestorage/digest.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/replication/publication.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {

// An id of 16 equal letters.
inline std::string Id(char letter) { return std::string(kIdSize, letter); }

// Behind the magic of a file without transactions.
inline const filestorage::Boundary kStart = filestorage::FirstBoundary(filestorage::Magic::kFs30);

inline void AddEpoch(v1::Lineage* lineage, char id, v1::Epoch::Origin origin, const filestorage::Boundary& left) {
  v1::Epoch& epoch = *lineage->add_epochs();
  epoch.set_id(Id(id));
  epoch.set_origin(origin);
  epoch.set_generation(static_cast<uint64_t>(lineage->epochs_size()));
  *epoch.mutable_left() = ToProto(left);
}

// So many packs of one generation more, whatever is forgotten for them.
inline void AddPacks(int count, v1::Lineage* lineage, const filestorage::Boundary& left = kStart) {
  static uint64_t packs = 0;
  for (int i = 0; i < count; ++i) {
    v1::Epoch epoch;
    epoch.set_id(filestorage::TidHex(++packs));
    epoch.set_origin(v1::Epoch::ORIGIN_REPLACED);
    epoch.set_generation(CurrentGeneration(*lineage));
    *epoch.mutable_left() = ToProto(left);
    AddEpoch(std::move(epoch), lineage);
  }
}

// A database in its first epoch.
inline v1::Lineage FirstLineage(char database = 'd', char epoch = 'a') {
  v1::Lineage lineage;
  lineage.set_database_id(Id(database));
  AddEpoch(&lineage, epoch, v1::Epoch::ORIGIN_FIRST, {});
  return lineage;
}

inline Publication PublicationOf(const tests::FileBuilder& file) { return {FirstLineage(), file.magic(), file.end()}; }

// A well-formed hello of a follower that has the database of FirstLineage() up to `position`.
inline v1::Hello HelloAt(const filestorage::Boundary& position) {
  v1::Hello hello;
  hello.set_lowest_version(1);
  hello.set_highest_version(1);
  hello.set_node_id(Id('n'));
  hello.set_software("test");
  if (position.offset != 0) *hello.mutable_lineage() = FirstLineage();
  *hello.mutable_position() = ToProto(position);
  return hello;
}

// The file's bytes from `from` to `to` as a well-formed batch, behind the transaction that `predecessor` is of.
inline v1::PublisherMessage BatchOf(absl::string_view file, uint64_t from, uint64_t to,
                                    const filestorage::Boundary& predecessor) {
  v1::PublisherMessage message;
  v1::Batch& batch = *message.mutable_batch();
  const absl::string_view data = file.substr(static_cast<size_t>(from), static_cast<size_t>(to - from));
  batch.set_offset(from);
  batch.set_data(std::string(data));
  batch.set_digest(filestorage::DigestOf(data).ToBytes());
  *batch.mutable_predecessor() = ToProto(predecessor);
  return message;
}

inline v1::Heartbeat HeartbeatOf(uint64_t committed_end, const std::vector<std::string>& path) {
  v1::Heartbeat heartbeat;
  heartbeat.set_committed_end(committed_end);
  heartbeat.set_interval_micros(1'000'000);
  for (const std::string& node : path) heartbeat.add_path(node);
  return heartbeat;
}

// The effects of one kind, in their order.
template <typename Effect, typename Effects>
std::vector<Effect> Only(const Effects& effects) {
  std::vector<Effect> only;
  for (const auto& effect : effects) {
    if (const auto* one = std::get_if<Effect>(&effect)) only.push_back(*one);
  }
  return only;
}

template <typename Effect, typename Effects>
bool Has(const Effects& effects) {
  return !Only<Effect>(effects).empty();
}

// The one effect of its kind; where there is none, or are more, a default one and a failed expectation.
template <typename Effect, typename Effects>
Effect TheOnly(const Effects& effects) {
  std::vector<Effect> only = Only<Effect>(effects);
  EXPECT_EQ(only.size(), 1u);
  return only.size() == 1 ? std::move(only[0]) : Effect{};
}

}  // namespace zrs::replication

#endif  // ZRS_TESTS_SIDECAR_REPLICATION_FIXTURES_H_
