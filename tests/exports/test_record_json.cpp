// Records as JSON: written, read back by its library and by the program; python's reads it in
// tests/end_to_end.
#include "landscape/results/record_json.h"

#include <nlohmann/json.hpp>

#include "landscape/kinds/result_kind.h"
#include "landscape/surface/surface_results.h"
#include "tests/exports/export_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A record with one of everything.
Record made_up() {
  Record record{"spectral_gap", "made \"up\"", {{"command", "none"}}, {"at"}};
  record.add_text("note", "infinity");
  record.add_number("gap", 1.0 / 3).error = "gap_error";
  record.add_number("gap_error", -kInfinity);
  record.add_series("at", "at", {-1, 0, 5e-324});
  NamedArray& width = record.add_series("width", "at", {kNan, kInfinity, -1.7976931348623157e308});
  width.unit = "%";
  width.mask = "done";
  width.style = NamedArray::Style::dashed;
  record.add_mask("done", {"at"}, {3}, {1, 0, 1});
  record.add_words("names", "name", {"a", "b\n\xC3\xA9"});
  record.add({.name = "grid", .shape = {2, 3}, .numbers = {1, 2, 3, 4, 5, 6}, .axes = {"y", "at"}});
  return record;
}

}  // namespace

TEST_CASE("json: rows of x under each plane; NaN is null, infinity a text") {
  const Surface surface = with_holes();
  const auto json = nlohmann::json::parse(json_of(record_of(surface)));
  CHECK(json["format"] == "topograd-record-1");
  CHECK(json["kind"] == "surface");
  CHECK(json["table"] == nlohmann::json({"y", "x"}));
  const auto& arrays = json["arrays"];
  CHECK(arrays["x"]["values"] == nlohmann::json(surface.x()));
  CHECK(arrays["y"]["values"] == nlohmann::json(surface.y()));
  CHECK(json["provenance"]["seed"] == "3");
  CHECK(json["provenance"]["dir_file"] == "directions.h5");
  CHECK(json["provenance"]["command"] == surface.provenance.at("command"));
  CHECK(arrays.size() == 5);
  CHECK(arrays["train_loss"]["mask"] == "done");
  CHECK(arrays["train_acc"]["unit"] == "%");
  CHECK(arrays["train_loss"]["axes"] == nlohmann::json({"y", "x"}));
  const auto& loss = arrays["train_loss"]["values"];
  REQUIRE(loss.size() == 3);
  for (size_t iy = 0; iy < 3; ++iy) {
    REQUIRE(loss[iy].size() == 4);
    for (size_t ix = 0; ix < 4; ++ix) {
      const double expected = surface.plane("train_loss")[4 * iy + ix];
      if (std::isnan(expected))
        CHECK(loss[iy][ix].is_null());
      else if (std::isinf(expected))
        CHECK(loss[iy][ix] == "infinity");
      else
        CHECK(same_bits({loss[iy][ix].get<double>()}, {expected}));
      CHECK(arrays["done"]["values"][iy][ix] == (4 * iy + ix != 9));
    }
  }
}

TEST_CASE("json: a record is read back as it was, to the bit") {
  const Record record = made_up();
  const Record back = record_of_json(json_of(record), "f.json");
  CHECK(back.kind == record.kind);
  CHECK(back.title == record.title);
  CHECK(back.file == "f.json");
  CHECK(back.provenance == record.provenance);
  CHECK(back.table == record.table);
  REQUIRE(back.arrays.size() == record.arrays.size());
  for (size_t i = 0; i < back.arrays.size(); ++i) {
    const NamedArray &a = back.arrays[i], &b = record.arrays[i];
    CAPTURE(b.name);
    CHECK(a.name == b.name);
    CHECK(a.type == b.type);
    CHECK(a.shape == b.shape);
    CHECK(same_bits(a.numbers, b.numbers));
    CHECK(a.words == b.words);
    CHECK(a.axes == b.axes);
    CHECK(a.unit + a.error + a.mask == b.unit + b.error + b.mask);
    CHECK(a.style == b.style);
  }
}

TEST_CASE("json: a file of a record is a result, of a kind that is known or not") {
  const TemporaryFolder folder;
  folder.write("r.json", json_of(made_up()));
  const Record record = load_record(folder.file("r.json"));
  CHECK(record.kind == "spectral_gap");
  CHECK(phrase_of(record.kind) == "a result of the kind 'spectral_gap'");
  folder.write("s.json", json_of(record_of(with_holes())));
  CHECK(surface_of(load_record(folder.file("s.json"))).done_count() == 11);
}

TEST_CASE("json: one digit that changed is noticed, another layout of the text is not") {
  const auto error = [](const std::string& json) {
    return error_of([&] { record_of_json(json, "f"); });
  };
  std::string json = json_of(made_up());
  CHECK(error(nlohmann::ordered_json::parse(json).dump(2)) == "no error");
  const size_t digit = json.find("0.333333");
  REQUIRE(digit != std::string::npos);
  json[digit + 5] = '4';
  CHECK(error(json) ==
        "f is no record in JSON: its contents are not those of its checksum: it was damaged, or "
        "altered (a program that alters it on purpose removes \"checksum\")");
  auto object = nlohmann::ordered_json::parse(json);
  object.erase("checksum");
  CHECK(error(object.dump()) == "no error");
}

TEST_CASE("json: what is no record is refused in a line") {
  const auto error = [](const std::string& json) {
    return error_of([&] { record_of_json(json, "f"); });
  };
  const std::string head = "{\"format\":\"topograd-record-1\",\"kind\":\"gap\",\"arrays\":{";
  CHECK(error(head + "\"a\":{\"values\":1}}}") == "no error");
  CHECK(error(head + "\"a\":{\"axes\":[\"x\"],\"values\":1}}}") ==
        "f is no record in JSON: a is no list along x");
  CHECK(error(head + "\"a\":{\"axes\":[\"y\",\"x\"],\"values\":[[1,2],[3]]}}}") ==
        "f is no record in JSON: a has lists of 2 and 1 values along x");
  CHECK(error(head + "\"a\":{\"type\":\"odd\",\"values\":1}}}") ==
        "f is no record in JSON: 'odd' is no type or style of an array");
  CHECK(error(head + "\"a\":{\"values\":1,\"error\":\"b\"}}}") ==
        "f is no record in JSON: a names 'b', which is no array of numbers over its axes");
  CHECK(error(head + "},\"table\":[\"t\"]}") ==
        "f is no record in JSON: no array lies along 't', an axis of its table");
  for (const std::string& broken :
       {head, head + "\"a\":{}}}", head + "\"a\":{\"values\":\"word\"}}}",
        head + "\"a\":{\"values\":[1]}}}", head + "\"a\":1}}", std::string("[]"),
        std::string("{\"format\":\"topograd-record-1\"}"),
        std::string("{\"format\":\"another\",\"kind\":\"gap\",\"arrays\":{}}")}) {
    CAPTURE(broken);
    CHECK(error(broken).starts_with("f is no record in JSON: "));
    CHECK(error(broken).find('\n') == std::string::npos);
  }
}

TEST_CASE("json: names that only bytes without a character tell apart are refused, not joined") {
  Record record = made_up();
  record.provenance["\xFFkey"] = "one";
  const std::string written = json_of(record);
  CHECK(json_of(record_of_json(written, record.file)) == written);
  Record of_keys = record, of_arrays = record;
  of_keys.provenance["\xFEkey"] = "another";
  CHECK_THROWS_AS(json_of(of_keys), Error);
  of_arrays.add_number("\xFFnumber", 1);
  of_arrays.add_number("\xFEnumber", 2);
  CHECK_THROWS_AS(json_of(of_arrays), Error);
}

TEST_CASE("json: bytes that are not UTF-8 are replaced; several records are a list") {
  Record record{"gap", ""};
  record.add_text("name", "bad \xFF byte");
  const auto json = nlohmann::json::parse(json_of(std::vector<Record>{record, made_up()}));
  REQUIRE(json.size() == 2);
  CHECK(json[0]["arrays"]["name"]["values"] == "bad \xEF\xBF\xBD byte");
  CHECK(json[1]["arrays"]["grid"]["values"][1][2] == 6);
}
