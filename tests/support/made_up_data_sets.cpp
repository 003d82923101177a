// Made-up data sets, small enough to be served by a test; tests/program/data_test.cpp says what they hold.
#include "train/fetch/data_sets.h"

namespace normlab {

// Nothing listens at port 9 here; the tests name their own server.
const std::vector<DataSet>& data_sets() {
  static const std::string nowhere = "http://127.0.0.1:9/";
  static const std::vector<DataSet> all{
      {"steps",
       "many.steps",
       "A file for each step",
       "free for all",
       {{"plain.txt",
         "1a25953465ab671d54b30108a9951b5500fa40994098ef9463853004da7933e1",
         6,
         {as_it_is(nowhere + "plain.txt")}},
        {"inner/words.txt",
         "4860f1b608a43aae320fec164cf7b6ae695108fbfa20932fcfa8ef2ece96f153",
         19000,
         {decompressed(nowhere + "words.txt.gz")}},
        {"numbers.txt.gz",
         "8db91b2ee25d579493dbc2ca66417cc945e215b5424349884013834d43df7ac4",
         2000,
         {compressed(from_tar(nowhere + "bundle.tgz", "*/numbers.txt"))}}}},
      {"zipped",
       "zipped",
       "One file of a zip archive, known by its SHA-1",
       "free for all",
       {{"poem.txt", "040277f4dd657719a44d2c65e3d01f2200c5d3e5", 14, {from_zip(nowhere + "poem.zip", "*/poem.txt")}}}},
      {"mirrored",
       "mirrored",
       "The same file in two places",
       "free for all",
       {{"plain.txt",
         "1a25953465ab671d54b30108a9951b5500fa40994098ef9463853004da7933e1",
         6,
         {as_it_is(nowhere + "first.txt"), as_it_is(nowhere + "second.txt")}}}},
      {"big",
       "big",
       "A file that takes a while",
       "free for all",
       {{"lines.txt",
         "41401d402a6fd43f73f25602b92be80af05ee8f19e276728c98ebdea9b7073d0",
         318890,
         {as_it_is(nowhere + "lines.txt")}}}}};
  return all;
}

}  // namespace normlab
