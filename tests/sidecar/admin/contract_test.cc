// The tables in sidecar/admin/README.md are what the code prints: fields, types, what may be null, and states.
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sidecar/admin/comparison_json.h"
#include "sidecar/admin/state_advice.h"
#include "sidecar/admin/status_json.h"
#include "tests/sidecar/admin/status_samples.h"
#include "tests/support/document.h"

namespace zrs::admin {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kDocument[] = "sidecar/admin/README.md";

Json Print(const v1::StatusResponse& status) { return Json::parse(StatusToJson(status, JsonLayout::kOneLine)); }

std::string TypeOf(const Json& value) {
  if (value.is_number()) return "number";
  return value.type_name();
}

// `full` has a value for everything, `empty` for nothing that may be unknown.
void ExpectDocumented(const std::string& table, const Json& full, const Json& empty) {
  SCOPED_TRACE(table);
  const auto rows = tests::DocumentTable(kDocument, table);
  std::vector<std::string> documented;
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), 4u) << row.front();
    documented.push_back(row[0]);
    if (!full.contains(row[0])) continue;  // told by the comparison of names
    EXPECT_EQ(TypeOf(full[row[0]]), row[1]) << row[0];
    EXPECT_EQ(empty[row[0]].is_null(), row[2] != "never") << row[0];
    EXPECT_FALSE(row[3].empty()) << row[0];
  }
  std::vector<std::string> printed;
  for (const auto& [name, value] : full.items()) printed.push_back(name);
  EXPECT_EQ(documented, printed);
}

TEST(Contract, EveryFieldIsDocumentedAndTheReverse) {
  const Json full = Print(FullStatus());
  const Json empty = Print(EmptyStatus());
  ExpectDocumented("status", full, empty);
  const Json& storage = full["storages"][0];
  const Json& unknown = empty["storages"][0];
  ExpectDocumented("storage", storage, unknown);
  // What is in an object that may be null is looked at in one that has it, without what is unknown there.
  const Json parts = Print(EmptyParts())["storages"][0];
  ExpectDocumented("progress", storage["progress"], parts["progress"]);
  ExpectDocumented("upstream", storage["upstream"], parts["upstream"]);
  ExpectDocumented("other", storage["upstream"]["others"][0], parts["upstream"]["others"][0]);
  ExpectDocumented("follower", storage["followers"][0], parts["followers"][0]);
  ExpectDocumented("error", storage["error"], parts["error"]);
  ExpectDocumented("swap", storage["lastSwap"], parts["lastSwap"]);
  ExpectDocumented("checking", storage["checking"], parts["checking"]);
  ExpectDocumented("comparison", storage["divergence"], parts["divergence"]);
  ExpectDocumented("compared", storage["divergence"]["here"], Json::parse(TransactionToJson({}).dump()));
  ExpectDocumented("scrub", storage["scrub"], parts["scrub"]);
  ExpectDocumented("kept-index", storage["index"], parts["index"]);
}

TEST(Contract, EveryStateIsDocumentedAndTheReverse) {
  std::vector<std::string> known;
  for (const KnownState& state : KnownStates()) known.emplace_back(state.name);
  EXPECT_EQ(tests::DocumentedNames(kDocument, "states"), known);
}

TEST(Contract, TheSampleOfEverythingIsComplete) {
  // A field that is added to the protocol and to no sample would not be looked at above.
  const v1::StatusResponse full = FullStatus();
  const std::vector<const google::protobuf::Message*> messages = {&full,
                                                                  &full.storages(0),
                                                                  &full.storages(0).progress(),
                                                                  &full.storages(0).upstream(),
                                                                  &full.storages(0).upstream().others(0),
                                                                  &full.storages(0).followers(0),
                                                                  &full.storages(0).error(),
                                                                  &full.storages(0).last_swap(),
                                                                  &full.storages(0).checking(),
                                                                  &full.storages(0).divergence(),
                                                                  &full.storages(0).divergence().here(),
                                                                  &full.storages(0).scrub(),
                                                                  &full.storages(0).index()};
  for (const google::protobuf::Message* message : messages) {
    const auto* descriptor = message->GetDescriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const auto* field = descriptor->field(i);
      const auto* reflection = message->GetReflection();
      EXPECT_TRUE(field->is_repeated() ? reflection->FieldSize(*message, field) > 0
                                       : reflection->HasField(*message, field))
          << field->full_name();
    }
  }
}

TEST(Contract, AnOlderClientIgnoresFieldsThatItDoesNotKnow) {
  const v1::StatusResponse status = FullStatus();
  v1::StatusResponse newer = status;
  constexpr int kAddedLater = 1000;
  newer.GetReflection()->MutableUnknownFields(&newer)->AddVarint(kAddedLater, 7);
  v1::StorageStatus* storage = newer.mutable_storages(0);
  storage->GetReflection()->MutableUnknownFields(storage)->AddLengthDelimited(kAddedLater, "later");
  v1::StatusResponse received;
  ASSERT_TRUE(received.ParseFromString(newer.SerializeAsString()));
  EXPECT_EQ(Print(received), Print(status));
}

TEST(Contract, TheExampleHasEveryFieldOfAStorage) {
  const Json example = Json::parse(tests::DocumentBlock(kDocument, "json"));
  const Json full = Print(FullStatus());
  const auto names = [](const Json& object) {
    std::vector<std::string> found;
    for (const auto& [name, value] : object.items()) found.push_back(name);
    return found;
  };
  EXPECT_EQ(names(example), names(full));
  EXPECT_EQ(names(example["storages"][0]), names(full["storages"][0]));
  for (const char* part : {"progress", "upstream"}) {
    EXPECT_EQ(names(example["storages"][0][part]), names(full["storages"][0][part])) << part;
  }
}

}  // namespace
}  // namespace zrs::admin
