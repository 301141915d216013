"""Characters of persons' names, the frequent first: a list of words knows few names, and a request may ask for one."""

#: The hundred most frequent surnames (of one character) in China, as commonly listed.
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
#: Characters that given names are often made of (our own choice, by ear: the old and the young).
GIVEN = (
    "英华秀兰玉珍桂芳明国建文丽红军平志芬梅霞敏伟强静杰勇艳娟涛超磊洋娜荣琴琼云凤莲春菊萍燕玲辉刚峰鹏飞波斌"
    "宇浩欣怡婷雪倩佳慧雨晨梓涵轩博俊思诗嘉子豪天泽睿一依可心悦琪瑶淑贵福寿德忠成昌发财林森龙海江河山川生"
    "祥永康健义仁礼智信美香翠花月仙清正光星阳东南北中学良民世家庆胜利新进爱开全顺安宁素银金宝素惠群莉莎颖"
    "露晶鑫瑞帆航凯旭威毅亮宏伦炎彬松柏竹青冰洁雅馨彤彦妍萌薇蓉菲蕾岚岩璐琳珊瑾"
)
