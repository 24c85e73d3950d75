from resonare_pipeline.linked_people import whole_id, with_whole_ids


def test_short_ids_are_spelt_out_wherever_they_stand() -> None:
    assert whole_id("signal:7") == "signal:user7"
    assert with_whole_ids("ids = ('telegram:user1', 'signal:7', 'signal:user8')") == (
        "ids = ('telegram:user1', 'signal:user7', 'signal:user8')"
    )
