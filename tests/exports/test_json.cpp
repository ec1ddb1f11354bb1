// JSON, read back by its library; python's reads it in tests/end_to_end.
#include "landscape/exports/json.h"

#include <nlohmann/json.hpp>

#include "tests/exports/export_check.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("json: rows of x under each plane; NaN is null, infinity a text") {
  const Surface surface = with_holes();
  const auto json = nlohmann::json::parse(json_of(record_of(surface)));
  CHECK(json["format"] == "topograd-export-1");
  CHECK(json["kind"] == "surface");
  CHECK(json["x"] == nlohmann::json(surface.x()));
  CHECK(json["y"] == nlohmann::json(surface.y()));
  CHECK(json["provenance"]["seed"] == "3");
  CHECK(json["provenance"]["dir_file"] == "directions.h5");
  CHECK(json["provenance"]["command"] == surface.provenance.at("command"));
  CHECK(json["planes"].size() == 2);
  const auto& loss = json["planes"]["train_loss"];
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
      CHECK(json["done"][iy][ix] == (4 * iy + ix != 9));
    }
  }
}

TEST_CASE("json: groups are objects, texts texts, single values no lists") {
  Record record{"curvature", {}, {}, {}, {}};
  record.arrays = {real_array("loss", {}, {0.25}),
                   real_column("largest/values", {2, 1}),
                   real_array("density/probes/0/values", {1, 2}, {-kInfinity, 1e-300}),
                   {"name", NamedArray::Type::text, {}, {}, {"bad \xFF byte"}}};
  const auto json = nlohmann::json::parse(json_of(record));
  CHECK(json["loss"] == 0.25);
  CHECK(json["largest"]["values"] == nlohmann::json({2.0, 1.0}));
  CHECK(json["density"]["probes"]["0"]["values"][0][0] == "-infinity");
  CHECK(json["density"]["probes"]["0"]["values"][0][1] == 1e-300);
  CHECK(json["name"] == "bad \xEF\xBF\xBD byte");
  CHECK_FALSE(json.contains("planes"));
}
