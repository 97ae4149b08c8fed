"""LeNet-5's own layers: the paper's figures (LeCun et al. 1998, section II.B)."""

from explorer.layers import ModuleCall, PartialConv2d, RadialBasis, Subsampling
from explorer.layers.lenet import C3_CONNECTIONS, DIGIT_PATTERNS


def test_subsampling_has_two_parameters_a_channel() -> None:
    layer = Subsampling(kernel_size=(2, 2), stride=(2, 2))
    assert layer.output_shape(((6, 28, 28),)) == (6, 14, 14)
    assert layer.num_parameters(((6, 28, 28),)) == 12
    assert layer.num_parameters(((16, 10, 10),)) == 32


def test_table_i_gives_1516_parameters_and_151600_connections() -> None:
    layer = PartialConv2d(connections=C3_CONNECTIONS, kernel_size=(5, 5))
    assert layer.output_shape(((6, 14, 14),)) == (16, 10, 10)
    assert layer.num_parameters(((6, 14, 14),)) == 1_516
    # The paper counts a bias as a connection too: 151,600 in all.
    assert layer.macs(((6, 14, 14),), (16, 10, 10)) + 16 * 100 == 151_600
    assert layer.num_connections == 60
    # Each map of S2 is read by ten of C3, and no two of C3 read the same.
    assert [sum(channel in row for row in C3_CONNECTIONS) for channel in range(6)] == [10] * 6
    assert len(set(C3_CONNECTIONS)) == 16
    assert layer.remarks(((6, 14, 14),), (16, 10, 10)) == ()


def test_the_output_compares_84_features_with_ten_bitmaps() -> None:
    layer = RadialBasis(patterns=DIGIT_PATTERNS)
    assert layer.output_shape(((84,),)) == (10,)
    assert (layer.num_parameters(((84,),)), layer.num_buffers(((84,),))) == (0, 840)
    call = layer.call(((84,),))
    assert isinstance(call, ModuleCall)
    patterns = call.arguments["patterns"]
    assert isinstance(patterns, tuple)
    assert len(set(patterns)) == 10
    assert {value for row in patterns for value in row} == {-1, 1}
    assert all(len(row) == 84 for row in patterns)


def test_suggested_patterns_are_all_unlike_where_there_is_room() -> None:
    for features in (8, 16, 120):
        patterns = RadialBasis.suggested((features,)).patterns
        assert len(set(patterns)) == 10 if features >= 16 else len(patterns) == 10
        assert RadialBasis(patterns=patterns).fault(((features,),)) is None
