// Ten steps of each optimizer on a whole model: every loss and the parameters in the end, against PyTorch.
#include <string>
#include <vector>

#include "engine/ops/loss.h"
#include "engine/tape.h"
#include "nn/language_model.h"
#include "tests/support/catch.h"
#include "tests/support/reference.h"
#include "tests/support/reference_model.h"
#include "train/optimizer.h"
#include "train/optimizer/adam.h"
#include "train/optimizer/sgd.h"

using namespace normlab;

namespace {

OptimizerConfig optimizer_config(const std::string& kind, ReferenceCase& r) {
  OptimizerConfig config(kind);
  if (auto* adam = dynamic_cast<AdamOptions*>(&*config)) {
    adam->beta1 = r.setting("beta1");
    adam->beta2 = r.setting("beta2");
    adam->epsilon = r.setting("adam_epsilon");
  }
  if (auto* adamw = dynamic_cast<AdamWOptions*>(&*config)) adamw->weight_decay = r.setting("weight_decay");
  if (auto* sgd = dynamic_cast<SgdOptions*>(&*config)) sgd->momentum = r.setting("momentum");
  return config;
}

}  // namespace

TEST_CASE("Ten optimizer steps agree with PyTorch in every loss and in the trained parameters") {
  for_each_reference("training", [](const std::string& kind, ReferenceCase& r) {
    Init init;
    init.dtype = r.dtype();
    LanguageModel model(init, language_model_config(r), static_cast<Index>(r.setting("vocabulary")),
                        static_cast<Index>(r.setting("longest_sequence")));
    set_parameters(model, r);
    const std::vector<Named> parameters = model.parameters();
    const auto optimizer = optimizer_config(kind, r)->make(parameters);
    const double label_smoothing = r.setting("label_smoothing");
    const double clip = kind == "sgd" ? r.setting("clip") : 0;
    const Tensor rates = r.constant("rates");

    Tensor losses = empty_like(rates);
    for (Index step = 0; step < rates.size(); ++step) {
      const std::string batch = text(".", step % 3);
      const Rows rows = r.rows("lengths" + batch, "counted" + batch);
      Tape tape;
      const Tensor logits = model.logits(r.constant("inputs" + batch), rows, {});
      const Tensor loss = cross_entropy(logits, r.constant("targets" + batch), rows, label_smoothing).loss;
      tape.backward(loss);
      losses.set(step, loss.item());
      optimizer->step(rates.at(step), clip_factor(gradient_norm(parameters), clip));
    }
    r.compare("losses", losses);
    for (const Named& parameter : parameters) {
      const std::string trained = text("trained/", parameter.path);
      // Where a gradient is hardly more than rounding, Adam takes its sign for a direction: only in f64, and not of a
      // key's bias, which moves all scores of a query alike and so has no gradient.
      if (r.dtype() == Dtype::f64 && parameter.path.find("key.bias") == std::string::npos) {
        r.compare(trained, parameter.tensor);
      } else {
        r.constant(trained);
      }
    }
  });
}
