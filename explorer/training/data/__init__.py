"""Data sets: the digits that come along, torchvision's, and folders of images; as uint8 in memory, or read ahead from
their files.

`loading` brings a name to a `DataSet`; `torchvision_sets`, `formats` and `fetch` are for what is published, `folders`,
`decoding`, `decoded_folder` and `decoded_cache` for images of the user's, `survey`, `streamed`, `batch_stream`,
`coming` and `decode_workers` for more of them than fit into memory; `describe` and `sample` are for what a view shows.
"""

from explorer.training.data.batch_stream import BatchStream, ImagesGone
from explorer.training.data.coming import Coming, Positions
from explorer.training.data.data_set import DataSet, make_data_set, network_inputs
from explorer.training.data.decoded_cache import DataCancelled
from explorer.training.data.loading import DataNotHere, data_at_hand, data_set_names, data_states, is_at_hand, load_data
from explorer.training.data.streamed import StreamedImages

__all__ = [
    "BatchStream",
    "Coming",
    "DataCancelled",
    "DataNotHere",
    "DataSet",
    "ImagesGone",
    "Positions",
    "StreamedImages",
    "data_at_hand",
    "data_set_names",
    "data_states",
    "is_at_hand",
    "load_data",
    "make_data_set",
    "network_inputs",
]
